using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>A compiled match: all conditions must be true.</summary>
internal sealed class RouteMatch
{
    // In no value, because Gateway API permits no control characters there.
    private const char Separator = '\0';

    private readonly IReadOnlyList<ValueCondition> _headers;
    private readonly IReadOnlyList<ValueCondition> _query;

    private RouteMatch(PathCondition path, string? method, IEnumerable<NamedValueMatch>? headers, IEnumerable<NamedValueMatch>? query)
    {
        Path = path;
        Method = method;

        // Only the first condition per name is used.
        _headers = [.. (headers ?? []).DistinctBy(h => h.Name, StringComparer.OrdinalIgnoreCase).Select(ValueCondition.Of)];
        _query = [.. (query ?? []).DistinctBy(q => q.Name, StringComparer.Ordinal).Select(ValueCondition.Of)];
        Key = string.Join(
            Separator,
            [$"{path.Kind}{path.Value}", method, .. Keys(_headers, ignoreCase: true), "", .. Keys(_query, ignoreCase: false)]
        );
    }

    /// <summary>Equal for matches of the same requests that differ only in the order of conditions.</summary>
    public string Key { get; }

    /// <summary>The path match.</summary>
    public PathCondition Path { get; }

    /// <summary>The method; null for any.</summary>
    public string? Method { get; }

    /// <summary>Number of header conditions.</summary>
    public int Headers => _headers.Count;

    /// <summary>Number of conditions on query parameters.</summary>
    public int QueryParameters => _query.Count;

    /// <summary>Compiles a match of an HTTPRoute.</summary>
    /// <exception cref="ArgumentException">A regular expression is invalid.</exception>
    public static RouteMatch Of(HttpRouteMatch match)
    {
        var value = match.Path?.Value ?? "/";
        var path = match.Path?.Type switch
        {
            "Exact" => PathCondition.Exact(value),
            "RegularExpression" => PathCondition.Regex(value),
            _ => PathCondition.Prefix(value),
        };
        return new RouteMatch(path, match.Method, match.Headers, match.QueryParams);
    }

    /// <summary>Compiles a match of a GRPCRoute: service and method are the two segments of the path.</summary>
    /// <exception cref="ArgumentException">A regular expression is invalid.</exception>
    public static RouteMatch Of(GrpcRouteMatch match) => new(GrpcPath(match.Method), null, match.Headers, null);

    /// <summary>Whether a request matches.</summary>
    public bool Matches(RequestAttributes request) =>
        (Method is null || Method == request.Method)
        && Path.Matches(request.Path)
        && _headers.All(h => request.Header(h.Name) is { } value && h.Matches(value))
        && _query.All(q => request.Query(q.Name) is { } value && q.Matches(value));

    private static PathCondition GrpcPath(GrpcMethodMatch? method)
    {
        var service = method?.Service;
        var name = method?.Method;
        if (string.IsNullOrEmpty(service) && string.IsNullOrEmpty(name))
        {
            return PathCondition.Any;
        }

        if (method!.Type == "RegularExpression")
        {
            return PathCondition.Regex($"/(?:{Or(service)})/(?:{Or(name)})");
        }

        return (service, name) switch
        {
            ({ Length: > 0 }, { Length: > 0 }) => PathCondition.Exact($"/{service}/{name}"),
            ({ Length: > 0 }, _) => PathCondition.Prefix($"/{service}"),
            _ => PathCondition.Regex($"/[^/]+/{Regex.Escape(name!)}"),
        };
    }

    // Names of headers are compared without case.
    private static IEnumerable<string> Keys(IEnumerable<ValueCondition> conditions, bool ignoreCase) =>
        conditions
            .Select(c => $"{(ignoreCase ? c.Name.ToLowerInvariant() : c.Name)}{Separator}{c.Expression is not null}{c.Value}")
            .Order(StringComparer.Ordinal);

    private static string Or(string? expression) => string.IsNullOrEmpty(expression) ? "[^/]+" : expression;

    private sealed record ValueCondition(string Name, string Value, Regex? Expression)
    {
        public static ValueCondition Of(NamedValueMatch match) =>
            new(match.Name, match.Value, match.Type == "RegularExpression" ? Expressions.Whole(match.Value) : null);

        public bool Matches(string value) => Expression?.IsMatch(value) ?? value == Value;
    }
}

/// <summary>Path match types in order of precedence.</summary>
internal enum PathKind
{
    /// <summary>The whole path.</summary>
    Exact,

    /// <summary>A regular expression for the whole path.</summary>
    Regex,

    /// <summary>Leading path elements.</summary>
    Prefix,
}

/// <summary>A path match.</summary>
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

    /// <summary>The match type.</summary>
    public PathKind Kind { get; }

    /// <summary>The path or expression.</summary>
    public string Value { get; }

    /// <summary>Matches the whole path.</summary>
    public static PathCondition Exact(string value) => new(PathKind.Exact, value, null);

    /// <summary>
    /// Matches whole leading elements: <c>/abc</c> matches <c>/abc</c>, <c>/abc/</c> and <c>/abc/def</c>, not <c>/abcd</c>.
    /// </summary>
    public static PathCondition Prefix(string value) => new(PathKind.Prefix, value.Length > 1 ? value.TrimEnd('/') : value, null);

    /// <summary>Matches the whole path with a regular expression.</summary>
    /// <exception cref="ArgumentException">The expression is invalid.</exception>
    public static PathCondition Regex(string value) => new(PathKind.Regex, value, Expressions.Whole(value));

    /// <summary>Whether a path matches.</summary>
    public bool Matches(string path) =>
        Kind switch
        {
            PathKind.Exact => path == Value,
            PathKind.Regex => _regex!.IsMatch(path),
            _ => Value is "/" or ""
                || (path.StartsWith(Value, StringComparison.Ordinal) && (path.Length == Value.Length || path[Value.Length] == '/')),
        };
}

/// <summary>Regular expressions of users: full matches in linear time, like Envoy's RE2.</summary>
internal static class Expressions
{
    /// <summary>Compiles an expression.</summary>
    /// <exception cref="ArgumentException">The expression is invalid.</exception>
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

/// <summary>The attributes of a request that are used for routing.</summary>
/// <param name="Host">Host without port, lower case.</param>
/// <param name="Path">Undecoded path, without query.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Header">Value of a header by name (several joined by a comma); null if absent.</param>
/// <param name="Query">First value of a query parameter by name; null if absent.</param>
internal sealed record RequestAttributes(
    string Host,
    string Path,
    string Method,
    Func<string, string?> Header,
    Func<string, string?> Query
);
