using k8s.Models;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Evaluates label selectors.</summary>
internal static class LabelSelectors
{
    /// <summary>Whether labels fulfil a selector; an empty one matches everything.</summary>
    public static bool Matches(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels ?? new Dictionary<string, string>()).All(wanted =>
            labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value
        ) && (selector.MatchExpressions ?? []).All(expression => Matches(expression, labels));

    private static bool Matches(V1LabelSelectorRequirement expression, IDictionary<string, string> labels)
    {
        var present = labels.TryGetValue(expression.Key, out var value);
        return expression.OperatorProperty switch
        {
            "In" => present && expression.Values.Contains(value!),
            "NotIn" => !present || !expression.Values.Contains(value!),
            "Exists" => present,
            "DoesNotExist" => !present,
            _ => false,
        };
    }
}
