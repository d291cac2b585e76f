using System.Text.RegularExpressions;

namespace KubeLB.EmbeddedCluster.Validation;

/// <summary>Validation of names, labels and annotations (apimachinery <c>util/validation</c>); each method returns its errors.</summary>
internal static partial class Names
{
    private const string Label1123Format = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string SubdomainFormat = Label1123Format + "(\\." + Label1123Format + ")*";
    private const string Label1035Format = "[a-z]([-a-z0-9]*[a-z0-9])?";
    private const string QualifiedFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private const string LabelValueFormat = "(" + QualifiedFormat + ")?";

    private const string SubdomainMessage =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
        + "an alphanumeric character (e.g. 'example.com', regex used for validation is '"
        + SubdomainFormat
        + "')";

    private const string Label1123Message =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '"
        + Label1123Format
        + "')";

    private const string Label1035Message =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
        + "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '"
        + Label1035Format
        + "')";

    private const string LabelValueMessage =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
        + "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '"
        + LabelValueFormat
        + "')";

    public static IReadOnlyList<string> Subdomain(string name) => Check(name, 253, SubdomainPattern(), SubdomainMessage);

    public static IReadOnlyList<string> Label1123(string name) => Check(name, 63, Label1123Pattern(), Label1123Message);

    public static IReadOnlyList<string> Label1035(string name) => Check(name, 63, Label1035Pattern(), Label1035Message);

    public static IReadOnlyList<string> LabelValue(string value) => Check(value, 63, LabelValuePattern(), LabelValueMessage);

    /// <summary>Names of RBAC objects: any valid path segment.</summary>
    public static IReadOnlyList<string> PathSegment(string name)
    {
        if (name is "." or "..")
        {
            return [$"may not be '{name}'"];
        }
        var problems = new List<string>();
        foreach (var illegal in "/%")
        {
            if (name.Contains(illegal))
            {
                problems.Add($"may not contain '{illegal}'");
            }
        }
        return problems;
    }

    /// <summary>Label keys, annotation keys, finalizers: an optional DNS prefix and a name.</summary>
    public static IReadOnlyList<string> QualifiedName(string value)
    {
        var problems = new List<string>();
        var name = value;
        var slash = value.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            if (value.IndexOf('/', slash + 1) >= 0)
            {
                return ["a qualified name " + QualifiedMessage(true)];
            }
            var prefix = value[..slash];
            name = value[(slash + 1)..];
            if (prefix.Length == 0)
            {
                problems.Add("prefix part must be non-empty");
            }
            else
            {
                problems.AddRange(Subdomain(prefix).Select(problem => "prefix part " + problem));
            }
        }
        if (name.Length == 0)
        {
            problems.Add("name part must be non-empty");
        }
        else if (name.Length > 63)
        {
            problems.Add("name part must be no more than 63 characters");
        }
        if (!QualifiedPattern().IsMatch(name))
        {
            problems.Add("name part " + QualifiedMessage(false));
        }
        return problems;
    }

    private static string QualifiedMessage(bool whole) =>
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
        + "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '"
        + QualifiedFormat
        + "')"
        + (whole ? " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')" : "");

    private static List<string> Check(string text, int limit, Regex pattern, string message)
    {
        if (text.Length <= limit && pattern.IsMatch(text))
        {
            return [];
        }
        var problems = new List<string>(2);
        if (text.Length > limit)
        {
            problems.Add($"must be no more than {limit} characters");
        }
        if (!pattern.IsMatch(text))
        {
            problems.Add(message);
        }
        return problems;
    }

    [GeneratedRegex("^" + SubdomainFormat + @"\z")]
    private static partial Regex SubdomainPattern();

    [GeneratedRegex("^" + Label1123Format + @"\z")]
    private static partial Regex Label1123Pattern();

    [GeneratedRegex("^" + Label1035Format + @"\z")]
    private static partial Regex Label1035Pattern();

    [GeneratedRegex("^" + LabelValueFormat + @"\z")]
    private static partial Regex LabelValuePattern();

    [GeneratedRegex("^" + QualifiedFormat + @"\z")]
    private static partial Regex QualifiedPattern();
}
