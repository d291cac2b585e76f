using System.Text.Json;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>The session persistence of a rule.</summary>
/// <param name="Name">Name of the cookie or header.</param>
/// <param name="IsHeader">Whether it is a header.</param>
/// <param name="Lifetime">Lifetime of the cookie; null until the browser ends.</param>
internal sealed record SessionRule(string Name, bool IsHeader, TimeSpan? Lifetime)
{
    /// <summary>The session persistence of a rule; null if it has none.</summary>
    /// <param name="route">The route.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="index">Index of the rule.</param>
    public static SessionRule? Of(IGatewayRoute route, string kind, RouteRule rule, int index)
    {
        if (rule.Unknown?.GetValueOrDefault("sessionPersistence") is not { ValueKind: JsonValueKind.Object } session)
        {
            return null;
        }

        // Only a permanent cookie uses the timeout.
        var isPermanent =
            session.TryGetProperty("cookieConfig", out var cookie)
            && cookie.TryGetProperty("lifetimeType", out var type)
            && type.GetString() == "Permanent";
        return new SessionRule(
            Text(session, "sessionName")
                ?? $"{kind.ToLowerInvariant()}-{route.Metadata.NamespaceProperty}-{route.Metadata.Name}-rule-{index}",
            Text(session, "type") == "Header",
            isPermanent ? Durations.Parse(Text(session, "absoluteTimeout")) : null
        );
    }

    /// <summary>The path of the cookie for a match: of a regular expression the part before the first wildcard.</summary>
    public static string CookiePath(PathCondition path) =>
        path.Kind == PathKind.Regex ? string.Join('/', path.Value.Split('/').TakeWhile(part => !part.Contains('*'))) : path.Value;

    private static string? Text(JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
