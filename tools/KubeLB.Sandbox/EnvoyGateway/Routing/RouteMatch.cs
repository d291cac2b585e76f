using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>Conditions on a request, all of which must hold. Compiled once.</summary>
internal sealed class RouteMatch
{
    private readonly IReadOnlyList<ValueCondition> _headers;
    private readonly IReadOnlyList<ValueCondition> _query;

    private RouteMatch(PathCondition path, string? method, IEnumerable<NamedValueMatch>? headers, IEnumerable<NamedValueMatch>? query)
    {
        Path = path;
        Method = method;

        // Of several conditions on one name the first counts.
        _headers = [.. (headers ?? []).DistinctBy(h => h.Name, StringComparer.OrdinalIgnoreCase).Select(ValueCondition.Of)];
        _query = [.. (query ?? []).DistinctBy(q => q.Name, StringComparer.Ordinal).Select(ValueCondition.Of)];
    }

    /// <summary>Condition on the path.</summary>
    public PathCondition Path { get; }

    /// <summary>The method; null for any.</summary>
    public string? Method { get; }

    /// <summary>Number of header conditions.</summary>
    public int Headers => _headers.Count;

    /// <summary>Number of conditions on query parameters.</summary>
    public int QueryParameters => _query.Count;

    /// <summary>Compiles a match of an HTTPRoute.</summary>
    /// <exception cref="ArgumentException">A regular expression is not valid.</exception>
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

    /// <summary>Compiles a match of a GRPCRoute: service and method are the two elements of the path.</summary>
    /// <exception cref="ArgumentException">A regular expression is not valid.</exception>
    public static RouteMatch Of(GrpcRouteMatch match) => new(GrpcPath(match.Method), null, match.Headers, null);

    /// <summary>Whether a request fulfils all conditions.</summary>
    public bool Matches(RequestFacts request) =>
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

    private static string Or(string? expression) => string.IsNullOrEmpty(expression) ? "[^/]+" : expression;

    private sealed record ValueCondition(string Name, string Value, Regex? Expression)
    {
        public static ValueCondition Of(NamedValueMatch match) =>
            new(match.Name, match.Value, match.Type == "RegularExpression" ? Expressions.Whole(match.Value) : null);

        public bool Matches(string value) => Expression?.IsMatch(value) ?? value == Value;
    }
}
