using System.Text;
using System.Text.RegularExpressions;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Converts regular expressions of RE2, the syntax of Kubernetes, to those of .NET.</summary>
internal static class Re2Pattern
{
    private static readonly Dictionary<string, string> NamedClasses = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = "\\x00-\\x7F",
        ["blank"] = "\\t ",
        ["cntrl"] = "\\x00-\\x1F\\x7F",
        ["digit"] = "0-9",
        ["graph"] = "!-~",
        ["lower"] = "a-z",
        ["print"] = " -~",
        ["punct"] = "!-/:-@\\[-`{-~",
        ["space"] = "\\t\\n\\v\\f\\r ",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>The regular expression with matching in linear time; null if the pattern is invalid or not of RE2.</summary>
    public static Regex? Compile(string pattern)
    {
        try
        {
            return new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        // Backreferences and lookarounds, which RE2 does not have either, are not supported with linear matching.
        catch (Exception exception) when (exception is ArgumentException or FormatException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Replaces what differs: <c>$</c> is the end of the text, \d, \s and \w are ASCII, named classes and groups.</summary>
    private static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var isClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (rest[0] == '\\' && rest.Length > 1)
            {
                result.Append(Escape(rest[1], isClass));
                i++;
            }
            else if (isClass && rest.StartsWith("[:") && rest.IndexOf(":]") is var end and > 0)
            {
                var name = rest[2..end].ToString();
                result.Append(NamedClasses.GetValueOrDefault(name) ?? throw new FormatException($"invalid character class {name}"));
                i += end + 1;
            }
            else if (isClass)
            {
                isClass = rest[0] != ']';
                // In .NET, "[" in a class can start a subtraction.
                result.Append(rest[0] == '[' ? "\\[" : rest[0].ToString());
            }
            else if (rest[0] == '[')
            {
                isClass = true;
                var start = rest.StartsWith("[^") ? 2 : 1;
                result.Append(rest[..start]);
                // "]" is literal as the first character of a class.
                if (rest.Length > start && rest[start] == ']')
                {
                    result.Append("\\]");
                    start++;
                }
                i += start - 1;
            }
            else if (rest[0] == '$')
            {
                result.Append("\\z");
            }
            else if (rest.StartsWith("(?P<"))
            {
                result.Append("(?<");
                i += 3;
            }
            else
            {
                result.Append(rest[0]);
            }
        }
        return result.ToString();
    }

    private static string Escape(char c, bool isClass) =>
        c switch
        {
            'd' => isClass ? "0-9" : "[0-9]",
            'w' => isClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]",
            's' => isClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]",
            'D' when !isClass => "[^0-9]",
            'W' when !isClass => "[^0-9A-Za-z_]",
            'S' when !isClass => "[^\\t\\n\\f\\r ]",
            'Z' => throw new FormatException("invalid escape sequence \\Z"),
            _ => $"\\{c}",
        };
}
