using k8s.Models;

namespace KubeLB.Translation.Attachment;

/// <summary>Evaluates label selectors.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
public static class LabelSelectors
{
    /// <summary>Whether the labels satisfy the selector; a null selector matches nothing, an empty one everything.</summary>
    public static bool Matches(V1LabelSelector? selector, IReadOnlyDictionary<string, string> labels)
    {
        if (selector is null)
        {
            return false;
        }

        return (selector.MatchLabels ?? new Dictionary<string, string>()).All(wanted =>
                labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value
            ) && (selector.MatchExpressions ?? []).All(requirement => Matches(requirement, labels));
    }

    private static bool Matches(V1LabelSelectorRequirement requirement, IReadOnlyDictionary<string, string> labels)
    {
        var present = labels.TryGetValue(requirement.Key, out var value);
        return requirement.OperatorProperty switch
        {
            "In" => present && requirement.Values?.Contains(value!) == true,
            "NotIn" => !present || requirement.Values?.Contains(value!) != true,
            "Exists" => present,
            "DoesNotExist" => !present,
            _ => false,
        };
    }
}
