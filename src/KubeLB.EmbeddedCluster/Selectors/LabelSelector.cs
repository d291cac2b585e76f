using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Selectors;

internal enum LabelOperator
{
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}

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

/// <summary>A parsed label selector; no requirements select everything.</summary>
internal sealed record LabelSelector(IReadOnlyList<LabelRequirement> Requirements)
{
    public static LabelSelector Everything { get; } = new([]);

    public bool IsEverything => Requirements.Count == 0;

    public bool Matches(StoredObject stored)
    {
        foreach (var requirement in Requirements)
        {
            if (!requirement.Matches(stored.Label))
            {
                return false;
            }
        }
        return true;
    }
}
