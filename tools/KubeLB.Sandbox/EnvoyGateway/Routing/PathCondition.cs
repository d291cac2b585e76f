using System.Text.RegularExpressions;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>How a path is compared, in the order of precedence.</summary>
internal enum PathKind
{
    /// <summary>The whole path.</summary>
    Exact,

    /// <summary>A regular expression over the whole path.</summary>
    Regex,

    /// <summary>Leading path elements.</summary>
    Prefix,
}

/// <summary>A condition on the path.</summary>
internal sealed class PathCondition
{
    private readonly Regex? _regex;

    private PathCondition(PathKind kind, string value, Regex? regex)
    {
        Kind = kind;
        Value = value;
        _regex = regex;
    }

    /// <summary>Matches every path.</summary>
    public static PathCondition Any { get; } = Prefix("/");

    /// <summary>How the path is compared.</summary>
    public PathKind Kind { get; }

    /// <summary>The path or expression.</summary>
    public string Value { get; }

    /// <summary>Matches the whole path.</summary>
    public static PathCondition Exact(string value) => new(PathKind.Exact, value, null);

    /// <summary>
    /// Matches whole leading elements: <c>/abc</c> matches <c>/abc</c>, <c>/abc/</c> and <c>/abc/def</c>, not <c>/abcd</c>.
    /// </summary>
    public static PathCondition Prefix(string value) => new(PathKind.Prefix, value.Length > 1 ? value.TrimEnd('/') : value, null);

    /// <summary>Matches an expression over the whole path.</summary>
    /// <exception cref="ArgumentException">The expression is not valid.</exception>
    public static PathCondition Regex(string value) => new(PathKind.Regex, value, Expressions.Whole(value));

    /// <summary>Whether a path fulfils the condition.</summary>
    public bool Matches(string path) =>
        Kind switch
        {
            PathKind.Exact => path == Value,
            PathKind.Regex => _regex!.IsMatch(path),
            _ => Value is "/" or ""
                || (path.StartsWith(Value, StringComparison.Ordinal) && (path.Length == Value.Length || path[Value.Length] == '/')),
        };
}

/// <summary>Regular expressions of users: they match as a whole, in linear time as Envoy's RE2 does.</summary>
internal static class Expressions
{
    /// <summary>Compiles an expression.</summary>
    /// <exception cref="ArgumentException">The expression is not valid.</exception>
    public static Regex Whole(string pattern)
    {
        try
        {
            return new Regex($"^(?:{pattern})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }
    }
}
