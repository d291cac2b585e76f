using System.Text.RegularExpressions;
using k8s.Models;

namespace KubeLB.Translation.Nodes;

/// <summary>Reads label selectors as kubectl takes them: <c>pool=edge,tier!=db,zone in (a,b),gpu notin (yes),role,!spot</c>.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
public static partial class LabelSelectorText
{
    /// <summary>The selector; null for an empty text, which selects everything.</summary>
    /// <exception cref="FormatException">The text is no selector; the message names the part that is wrong.</exception>
    public static V1LabelSelector? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        return new V1LabelSelector { MatchExpressions = [.. Parts(text).Select(part => Requirement(part, text))] };
    }

    // Commas separate requirements, but not inside parentheses.
    private static IEnumerable<string> Parts(string text) => Comma().Split(text).Select(part => part.Trim());

    private static V1LabelSelectorRequirement Requirement(string part, string text)
    {
        if (Exists().Match(part) is { Success: true } exists)
        {
            return Of(exists, exists.Groups["not"].Length > 0 ? "DoesNotExist" : "Exists", null, text);
        }

        if (Equality().Match(part) is { Success: true } equality)
        {
            return Of(equality, equality.Groups["op"].Value == "!=" ? "NotIn" : "In", [equality.Groups["value"].Value], text);
        }

        if (Set().Match(part) is { Success: true } set)
        {
            var values = set.Groups["values"].Value.Split(',').Select(v => v.Trim()).ToList();
            return Of(set, set.Groups["op"].Value == "in" ? "In" : "NotIn", values, text);
        }

        throw Wrong(part, text);
    }

    private static V1LabelSelectorRequirement Of(Match match, string @operator, List<string>? values, string text)
    {
        var key = match.Groups["key"].Value;
        if (!Key().IsMatch(key) || values?.Any(value => !Value().IsMatch(value)) == true)
        {
            throw Wrong(match.Value, text);
        }

        return new V1LabelSelectorRequirement
        {
            Key = key,
            OperatorProperty = @operator,
            Values = values,
        };
    }

    private static FormatException Wrong(string part, string text) =>
        new(
            $"\"{part}\" in \"{text}\" is no label requirement: use key=value, key!=value, key in (a,b), key notin (a,b), key or "
                + "!key, separated by commas."
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
