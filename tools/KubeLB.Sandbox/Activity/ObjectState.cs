using System.Net;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.Activity;

/// <summary>The state of a tenant's Gateways and routes in one line, from their statuses.</summary>
internal static class ObjectState
{
    private const int MaxMessage = 300;

    // Conditions with which an accepted route does not serve all of its requests.
    private static readonly string[] Failures =
    [
        GatewayConditions.ResolvedRefs,
        GatewayConditions.BackendsReady,
        GatewayConditions.ProxyProgrammed,
    ];

    private static readonly string[] Warnings =
    [
        GatewayConditions.PartiallyInvalid,
        GatewayConditions.RouteRulesOverlap,
        GatewayConditions.FieldsIgnored,
        GatewayConditions.DefaultExceeded,
    ];

    /// <summary>The state of a Gateway; empty while it is not known.</summary>
    public static IReadOnlyList<string> Of(Gateway gateway)
    {
        var conditions = gateway.Status?.Conditions ?? [];
        var name = $"Gateway {ResourceKey.Of(gateway)}";
        if (Find(conditions, GatewayConditions.Accepted, ConditionStatus.False) is { } rejected)
        {
            return [$"{name} not served: {Text(rejected)}"];
        }

        if (Find(conditions, GatewayConditions.Programmed, ConditionStatus.False) is { } notProgrammed)
        {
            return [$"{name} not served: {Text(notProgrammed)}"];
        }

        if (Find(conditions, GatewayConditions.Programmed, ConditionStatus.True) is null || AddressOf(gateway) is not { } address)
        {
            return [];
        }

        var invalid = conditions.FirstOrDefault(c =>
            c.Type == GatewayConditions.Accepted && c.Reason == GatewayConditions.ListenersNotValid
        );
        var problems = WarningsOf(conditions).Prepend(invalid).OfType<Condition>().Select(c => $"; {Text(c)}");
        return [$"{name} programmed at {address}{string.Concat(problems)}"];
    }

    /// <summary>The state of a route, one line per parent; empty while it is not known.</summary>
    /// <param name="route">The route.</param>
    /// <param name="gateways">Finds a Gateway.</param>
    /// <param name="resolve">The end point that serves a port of a Gateway's address; null if it is not served.</param>
    public static IReadOnlyList<string> Of(
        IGatewayRoute route,
        Func<ResourceKey, Gateway?> gateways,
        Func<IPAddress, int, IPEndPoint?> resolve
    )
    {
        var parents = route.Status?.Parents ?? [];
        var lines = new List<string>();
        foreach (var parent in parents)
        {
            var name =
                $"{route.Kind} {ResourceKey.Of(route)}"
                + (parents.Count > 1 ? $" at Gateway {parent.ParentRef.Name}{Section(parent.ParentRef)}" : "");
            if (Find(parent.Conditions, GatewayConditions.Accepted, ConditionStatus.False) is { } rejected)
            {
                lines.Add($"{name} not served: {Text(rejected)}");
            }
            else if (
                Find(parent.Conditions, GatewayConditions.Accepted, ConditionStatus.True) is not null
                && gateways(RouteEvaluator.GatewayOf(route, parent.ParentRef)) is { } gateway
                && UrlOf(route, gateway, parent.ParentRef, resolve) is { } url
            )
            {
                lines.Add($"{name} accepted, {Served(parent.Conditions, url)}");
            }
        }

        return lines;
    }

    private static string Served(IReadOnlyList<Condition> conditions, string url)
    {
        var failures = Failures.Select(type => Find(conditions, type, ConditionStatus.False)).OfType<Condition>().Select(Text).ToList();
        var warnings = WarningsOf(conditions).Select(Text);
        return failures.Count > 0
            ? $"but at {url}: {string.Join("; ", failures.Concat(warnings))}"
            : string.Join("; ", warnings.Prepend($"served at {url}"));
    }

    private static string? UrlOf(IGatewayRoute route, Gateway gateway, ParentReference parent, Func<IPAddress, int, IPEndPoint?> resolve)
    {
        var listener = (gateway.Spec?.Listeners ?? []).FirstOrDefault(l =>
            (parent.SectionName is null || parent.SectionName == l.Name)
            && (parent.Port is null || parent.Port == l.Port)
            && l.Protocol is "HTTP" or "HTTPS"
        );
        if (listener is null || AddressOf(gateway) is not { } address)
        {
            return null;
        }

        var port = IPAddress.TryParse(address, out var ip) && resolve(ip, listener.Port) is { } remapped ? remapped.Port : listener.Port;
        var isHttps = listener.Protocol == "HTTPS";
        var authority = port == (isHttps ? 443 : 80) ? address : $"{address}:{port}";
        var hosts =
            route.Hostnames.Count > 0 ? string.Join(", ", route.Hostnames)
            : string.IsNullOrEmpty(listener.Hostname) ? "any"
            : listener.Hostname;
        return MessageText.Quote($"{(isHttps ? "https" : "http")}://{authority} (Host: {hosts})", MaxMessage);
    }

    private static IEnumerable<Condition> WarningsOf(IReadOnlyList<Condition> conditions) =>
        Warnings
            .Select(type => Find(conditions, type, ConditionStatus.True))
            .Append(Find(conditions, GatewayConditions.RetryPolicyApplied, ConditionStatus.False))
            .OfType<Condition>();

    private static string Section(ParentReference parent) => parent.SectionName is null ? "" : $" listener {parent.SectionName}";

    private static string? AddressOf(Gateway gateway) => gateway.Status?.Addresses?.FirstOrDefault()?.Value;

    private static Condition? Find(IReadOnlyList<Condition> conditions, string type, string status) =>
        conditions.FirstOrDefault(c => c.Type == type && c.Status == status);

    private static string Text(Condition condition) => $"{condition.Reason}: {MessageText.Quote(condition.Message, MaxMessage)}";
}
