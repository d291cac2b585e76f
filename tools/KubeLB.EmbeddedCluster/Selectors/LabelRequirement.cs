namespace KubeLB.EmbeddedCluster.Selectors;

/// <summary>A requirement of a label selector.</summary>
internal sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyCollection<string> Values)
{
    public bool Matches(Func<string, string?> labels)
    {
        var value = labels(Key);
        return Operator switch
        {
            LabelOperator.Exists => value is not null,
            LabelOperator.DoesNotExist => value is null,
            LabelOperator.In => value is not null && Values.Contains(value),
            LabelOperator.NotIn => value is null || !Values.Contains(value),
            LabelOperator.GreaterThan => long.TryParse(value, out var left) && left > long.Parse(Values.First()),
            _ => long.TryParse(value, out var left) && left < long.Parse(Values.First()),
        };
    }
}
