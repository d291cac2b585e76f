using System.Text.RegularExpressions;
using k8s.Models;

namespace KubeLB.Translation.Matching;

/// <summary>Parses and evaluates label selectors.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
public static partial class LabelSelectors
{
    /// <summary>Whether the labels satisfy the selector; a null selector matches nothing, an empty one everything.</summary>
    public static bool Matches(V1LabelSelector? selector, IReadOnlyDictionary<string, string> labels)
    {
        if (selector is null)
        {
            return false;
        }

        return (selector.MatchLabels ?? new Dictionary<string, string>()).All(required =>
                labels.TryGetValue(required.Key, out var value) && value == required.Value
            ) && (selector.MatchExpressions ?? []).All(requirement => Matches(requirement, labels));
    }

    /// <summary>
    /// Parses a selector in kubectl's notation: <c>pool=edge,tier!=db,zone in (a,b),gpu notin (yes),role,!spot</c>. Null for an empty text,
    /// which selects everything.
    /// </summary>
    /// <exception cref="FormatException">The text is not a selector; the message quotes the invalid part.</exception>
    public static V1LabelSelector? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        return new V1LabelSelector { MatchExpressions = [.. Parts(text).Select(part => ParseRequirement(part, text))] };
    }

    /// <summary>The selector in the notation of <see cref="Parse"/>, for messages; empty if it is null.</summary>
    public static string Format(V1LabelSelector? selector) =>
        string.Join(
            ',',
            (selector?.MatchLabels ?? new Dictionary<string, string>())
                .Select(label => $"{label.Key}={label.Value}")
                .Concat((selector?.MatchExpressions ?? []).Select(Format))
        );

    private static string Format(V1LabelSelectorRequirement requirement) =>
        requirement.OperatorProperty switch
        {
            "Exists" => requirement.Key,
            "DoesNotExist" => $"!{requirement.Key}",
            var @operator => $"{requirement.Key} {(@operator == "NotIn" ? "notin" : "in")} ({string.Join(',', requirement.Values ?? [])})",
        };

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

    // Commas separate requirements, but not inside parentheses.
    private static IEnumerable<string> Parts(string text) => Comma().Split(text).Select(part => part.Trim());

    private static V1LabelSelectorRequirement ParseRequirement(string part, string text)
    {
        if (Exists().Match(part) is { Success: true } exists)
        {
            return Requirement(exists, exists.Groups["not"].Length > 0 ? "DoesNotExist" : "Exists", null, text);
        }

        if (Equality().Match(part) is { Success: true } equality)
        {
            return Requirement(equality, equality.Groups["op"].Value == "!=" ? "NotIn" : "In", [equality.Groups["value"].Value], text);
        }

        if (Set().Match(part) is { Success: true } set)
        {
            var values = set.Groups["values"].Value.Split(',').Select(v => v.Trim()).ToList();
            return Requirement(set, set.Groups["op"].Value == "in" ? "In" : "NotIn", values, text);
        }

        throw Invalid(part, text);
    }

    private static V1LabelSelectorRequirement Requirement(Match match, string @operator, List<string>? values, string text)
    {
        var key = match.Groups["key"].Value;
        if (!Key().IsMatch(key) || values?.Any(value => !Value().IsMatch(value)) == true)
        {
            throw Invalid(match.Value, text);
        }

        return new V1LabelSelectorRequirement
        {
            Key = key,
            OperatorProperty = @operator,
            Values = values,
        };
    }

    private static FormatException Invalid(string part, string text) =>
        new(
            $"Invalid label selector \"{text}\": \"{part}\" is not a valid requirement. "
                + "Use key=value, key!=value, key in (a,b), key notin (a,b), key or !key, separated by commas."
        );

    [GeneratedRegex(@",(?![^(]*\))")]
    private static partial Regex Comma();

    [GeneratedRegex(@"^(?<not>!?)\s*(?<key>[^\s=!<>(),]+)\z")]
    private static partial Regex Exists();

    [GeneratedRegex(@"^(?<key>[^\s=!<>(),]+)\s*(?<op>==|!=|=)\s*(?<value>[^\s=!<>(),]*)\z")]
    private static partial Regex Equality();

    [GeneratedRegex(@"^(?<key>[^\s=!<>(),]+)\s+(?<op>in|notin)\s*\((?<values>[^()]*)\)\z")]
    private static partial Regex Set();

    [GeneratedRegex(@"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex Key();

    [GeneratedRegex(@"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\z")]
    private static partial Regex Value();
}
