using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>
/// The part of JSONPath that printer columns and selectable fields use: members (with escaped dots), quoted members, indexes, wildcards,
/// recursive descent and equality filters.
/// </summary>
internal sealed class JsonPath
{
    private readonly List<Func<JsonNode?, IEnumerable<JsonNode?>>> _steps = [];

    private JsonPath() { }

    /// <exception cref="FormatException">The path is invalid or not supported.</exception>
    public static JsonPath Parse(string text)
    {
        var path = new JsonPath();
        var at = text.StartsWith('$') ? 1 : 0;
        while (at < text.Length)
        {
            if (text[at] == '.')
            {
                at++;
                if (at < text.Length && text[at] == '.')
                {
                    path._steps.Add(Descendants);
                    at++;
                }
                if (at < text.Length && text[at] != '[')
                {
                    path.Member(ReadName(text, ref at));
                }
            }
            else if (text[at] == '[')
            {
                path.Bracket(ReadBracket(text, ref at));
            }
            else
            {
                path.Member(ReadName(text, ref at));
            }
        }
        return path;
    }

    public IEnumerable<JsonNode?> Evaluate(JsonNode? root)
    {
        IEnumerable<JsonNode?> current = [root];
        foreach (var step in _steps)
        {
            current = current.SelectMany(step);
        }
        return current;
    }

    private void Member(string name)
    {
        if (name == "*")
        {
            _steps.Add(Children);
        }
        else if (name.Length > 0)
        {
            _steps.Add(node => node is JsonObject tree && tree.TryGetPropertyValue(name, out var value) ? [value] : []);
        }
    }

    private void Bracket(string content)
    {
        if (content == "*")
        {
            _steps.Add(Children);
        }
        else if (content.StartsWith('?'))
        {
            Filter(content[1..].Trim().TrimStart('(').TrimEnd(')'));
        }
        else if (content.Length > 1 && content[0] is '\'' or '"')
        {
            Member(content[1..^1]);
        }
        else if (int.TryParse(content, out var index))
        {
            _steps.Add(node =>
                node is JsonArray list && list.Count > 0 && (index < 0 ? list.Count + index : index) is var at && at >= 0 && at < list.Count
                    ? [list[at]]
                    : []
            );
        }
        else
        {
            throw new FormatException($"invalid array index {content}");
        }
    }

    private void Filter(string condition)
    {
        foreach (var comparison in new[] { "==", "!=" })
        {
            var at = condition.IndexOf(comparison, StringComparison.Ordinal);
            if (at < 0)
            {
                continue;
            }
            var left = Parse(condition[..at].Trim().TrimStart('@'));
            var right = condition[(at + 2)..].Trim();
            var expected = right.Length > 1 && right[0] is '\'' or '"' ? right[1..^1] : right;
            var equal = comparison == "==";
            _steps.Add(node => Children(node).Where(item => left.Evaluate(item).Any(value => Print(value) == expected) == equal));
            return;
        }
        var exists = Parse(condition.Trim().TrimStart('@'));
        _steps.Add(node => Children(node).Where(item => exists.Evaluate(item).Any()));
    }

    private static IEnumerable<JsonNode?> Children(JsonNode? node) =>
        node switch
        {
            JsonArray list => list,
            JsonObject tree => tree.Select(member => member.Value),
            _ => [],
        };

    private static IEnumerable<JsonNode?> Descendants(JsonNode? node) => Children(node).SelectMany(Descendants).Prepend(node);

    private static string ReadName(string text, ref int at)
    {
        var name = new StringBuilder();
        while (at < text.Length && text[at] is not ('.' or '['))
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }
            name.Append(text[at++]);
        }
        return name.ToString();
    }

    private static string ReadBracket(string text, ref int at)
    {
        var depth = 0;
        var start = at + 1;
        char? quote = null;
        for (; at < text.Length; at++)
        {
            if (quote is not null)
            {
                quote = text[at] == quote ? null : quote;
            }
            else if (text[at] is '\'' or '"')
            {
                quote = text[at];
            }
            else if (text[at] == '[')
            {
                depth++;
            }
            else if (text[at] == ']' && --depth == 0)
            {
                return text[start..at++].Trim();
            }
        }
        throw new FormatException("unterminated array");
    }

    /// <summary>Formats a value for a printer column or a selector.</summary>
    public static string Print(JsonNode? value) => value.AsText() ?? value?.ToJsonString(Errors.FieldError.RelaxedJson) ?? "";
}
