using System.Globalization;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using static KubeLB.Inspection.Tracing.TenantHops;

namespace KubeLB.Inspection.Tracing;

/// <summary>The hops in the management cluster: Route, generated objects, Envoy Gateway, the tenant's proxies and node addresses.</summary>
internal sealed class ManagementHops(IObjects management, TraceSettings settings, DateTimeOffset now)
{
    private const string OwningGatewayName = "gateway.envoyproxy.io/owning-gateway-name";
    private const string OwningGatewayNamespace = "gateway.envoyproxy.io/owning-gateway-namespace";

    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    /// <summary>The hops behind a route.</summary>
    public IEnumerable<Hop> OfRoute(Seen<Route> copy, IGatewayRoute? source, IGatewayRoute? known, string? tenantNamespace)
    {
        yield return Copy(copy, source?.Metadata);
        if (copy.Value is { } route && tenantNamespace is not null)
        {
            yield return Generated(route);
            yield return EnvoyGateway(route, known?.Kind);
            yield return Proxies(tenantNamespace, route);
            yield return Nodes(tenantNamespace);
        }
    }

    /// <summary>The hops behind a Gateway.</summary>
    public IEnumerable<Hop> OfGateway(Seen<Route> copy, Gateway? source, string? tenantNamespace)
    {
        yield return Copy(copy, source?.Metadata);
        if (copy.Value is { } route && tenantNamespace is not null)
        {
            yield return EnvoyGateway(route, Gateway.KindName);
            yield return Proxies(tenantNamespace, route);
        }
    }

    // The Route, which the CCM writes.
    private Hop Copy(Seen<Route> copy, V1ObjectMeta? source)
    {
        const string Title = "Route";
        if (copy.Value is not { } route)
        {
            return copy.Unreadable is not null ? new Hop(Title, HopState.Unseen) { Message = copy.Unreadable }
                : now - source?.CreationTimestamp?.ToUniversalTime() < Usual
                    ? new Hop(Title, HopState.Waiting) { Message = "The CCM has not written a Route yet." }
                : new Hop(Title, HopState.Broken)
                {
                    Message =
                        "The management cluster has no Route of the object. The CCM writes it when the object is attached and its node "
                        + "ports are allocated: check the hops above, and the log of the CCM.",
                };
        }

        var @object = ObjectOf(route, Route.KindName);
        var parts = new List<Hop>();
        var written = route.Metadata.Annotations?.TryGetValue(Annotations.SourceGeneration, out var text) == true ? text : null;
        var generation = source?.Generation?.ToString(CultureInfo.InvariantCulture);
        if (generation is not null && written is not null && written != generation)
        {
            parts.Add(
                new Hop("Generation", HopState.Waiting)
                {
                    Message =
                        $"The Route has generation {written} of the object, which has generation {generation}. The CCM has not written "
                        + "the change yet; if this lasts, see its log.",
                }
            );
        }

        var generated = route.Status?.Resources?.Route;
        var failures = (generated?.Conditions ?? [])
            .Where(c =>
                c.Status == ConditionStatus.False && c.Type is RouteConditions.Permitted or RouteConditions.ResourceAppliedSuccessfully
            )
            .DistinctBy(c => c.Message)
            .Select(c => Of(c.Type, HopState.Broken, c))
            .ToList();
        parts.AddRange(failures);
        if (route.Status is null)
        {
            parts.Add(
                new Hop("Status", now - route.Metadata.CreationTimestamp?.ToUniversalTime() < Usual ? HopState.Waiting : HopState.Broken)
                {
                    Message = "The manager has not reported on the Route. Check that it runs with --enable-gateway-api, and its log.",
                }
            );
        }
        else if (failures.Count == 0)
        {
            parts.AddRange(
                Problems(route.Status.Conditions, RouteConditions.Accepted, RouteConditions.Programmed)
                    .DistinctBy(p => p.Message)
                    // The last configuration that the proxies accepted is served.
                    .Select(p => p.Reason == RouteConditions.ProxyRejected ? p with { State = HopState.Warning } : p)
            );
        }

        return Hop.Of(@object.ToString(), parts, written is null ? null : $"generation {written} of the object") with
        {
            Subject = @object,
        };
    }

    private Hop Generated(Route route)
    {
        const string Title = "Generated objects";
        if (route.Status?.Resources is not { Route.GeneratedName: { Length: > 0 } name, Route.Kind: { } kind } resources)
        {
            return new Hop(Title, HopState.Waiting) { Message = "Nothing is generated from the Route; the hop above has the reason." };
        }

        var parts = new List<Hop>
        {
            kind == GrpcRoute.KindName ? Object<GrpcRoute>(route.Namespace, kind, name) : Object<HttpRoute>(route.Namespace, kind, name),
        };
        foreach (var (origin, service) in (resources.Services ?? []).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var failed = (service.Conditions ?? [])
                .Where(c => c.Status == ConditionStatus.False)
                .Select(c => Of(c.Type, HopState.Broken, c));
            var hop = service.GeneratedName is { Length: > 0 } generated
                ? Object<V1Service>(route.Namespace, V1Service.KubeKind, generated)
                : new Hop($"Service of {origin}", HopState.Ok);
            parts.Add(
                Hop.Of(hop.Title, [.. hop.Message is null ? [] : new[] { hop }, .. failed], Ports(origin, service)) with
                {
                    Subject = hop.Subject,
                }
            );
        }

        return Hop.Of(Title, parts);
    }

    private Hop EnvoyGateway(Route route, string? kind)
    {
        const string Title = "Envoy Gateway";
        var parts = new List<Hop>();
        var config = management.Get<Config>(settings.ManagerNamespace, Config.DefaultName);
        // Objects that did not change are still served, and a Tenant may have a class of its own.
        var tenant = management.Get<Tenant>("", TenantNames.TenantOf(route.Namespace) ?? route.Namespace).Value;
        parts.AddRange(
            (config.Value?.Status?.Conditions ?? [])
                .Where(c => c.Status == ConditionStatus.False)
                .Where(c =>
                    c.Type == SettingsConditions.EnvoyGatewayResponding
                    || (c.Type == GatewayClassConditions.GatewayClassReady && tenant?.Spec?.GatewayAPI?.Class is not { Length: > 0 })
                )
                .Select(c => Of($"Config {c.Type}", HopState.Warning, c))
        );
        var generated = route.Status?.Resources?.Route;
        var gateways = new List<string>();
        if (kind == Gateway.KindName)
        {
            gateways.AddRange(new[] { generated?.GeneratedName }.OfType<string>().Where(n => n.Length > 0));
        }
        else if (generated?.GeneratedName is { Length: > 0 } name)
        {
            IGatewayRoute? found =
                kind == GrpcRoute.KindName
                    ? management.Get<GrpcRoute>(route.Namespace, name).Value
                    : management.Get<HttpRoute>(route.Namespace, name).Value;
            parts.AddRange(
                (found?.Status?.Parents ?? [])
                    .SelectMany(p => Problems(p.Conditions, GatewayConditions.Accepted, GatewayConditions.ResolvedRefs))
                    .DistinctBy(p => p.Message)
            );
            gateways.AddRange((found?.ParentRefs ?? []).Select(p => p.Name).Distinct(StringComparer.Ordinal));
        }

        parts.AddRange(gateways.Select(g => GeneratedGateway(route.Namespace, g)));
        return Hop.Of(Title, parts);
    }

    private Hop GeneratedGateway(string @namespace, string name)
    {
        var hop = Object<Gateway>(@namespace, Gateway.KindName, name);
        if (management.Get<Gateway>(@namespace, name).Value is not { } gateway)
        {
            return hop;
        }

        var parts = Problems(gateway.Status?.Conditions, GatewayConditions.Accepted, GatewayConditions.Programmed).ToList();
        var (pods, _) = management.List<V1Pod>(
            settings.EnvoyGatewayNamespace,
            $"{OwningGatewayNamespace}={@namespace},{OwningGatewayName}={Labels.Value(name)}"
        );
        var details = new[]
        {
            gateway.Status?.Addresses is { Count: > 0 } addresses ? $"address {string.Join(", ", addresses.Select(a => a.Value))}" : null,
            pods.Count > 0 ? $"{Count(pods.Count(IsReady))} of {Count(pods.Count)} proxies ready" : null,
        };
        if (pods.Count > 0 && !pods.Any(IsReady))
        {
            parts.Add(
                new Hop("Proxies", HopState.Broken)
                {
                    Message = $"No proxy of Envoy Gateway is ready. Run kubectl -n {settings.EnvoyGatewayNamespace} describe pods.",
                }
            );
        }

        return Hop.Of(hop.Title, parts, string.Join("; ", details.OfType<string>())) with
        {
            Subject = hop.Subject,
        };
    }

    private Hop Proxies(string tenantNamespace, Route route)
    {
        const string Title = "Tenant proxies";
        var (pods, unreadable) = management.List<V1Pod>(tenantNamespace, $"{Labels.AppName}={tenantNamespace}");
        if (unreadable is not null)
        {
            return new Hop(Title, HopState.Unseen) { Message = unreadable };
        }

        var parts = new List<Hop>();
        var ready = pods.Count(IsReady);
        if (ready == 0)
        {
            var tenant = management.Get<Tenant>("", TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace).Value;
            var reported = tenant?.Status?.Conditions?.Find(c =>
                c is { Type: TenantProxyConditions.ProxiesAvailable, Status: ConditionStatus.False }
            );
            parts.Add(
                reported is not null
                    ? Of($"Tenant {reported.Type}", HopState.Broken, reported)
                    : new Hop("Pods", HopState.Broken)
                    {
                        Message = $"No proxy of the tenant is ready. Run kubectl -n {tenantNamespace} describe pods.",
                    }
            );
        }

        parts.AddRange(
            (route.Status?.Resources?.Route?.Conditions ?? [])
                .Where(c => c is { Type: RouteConditions.ProxyProgrammed, Status: ConditionStatus.False })
                .Select(c => Of(c.Type, HopState.Warning, c))
        );
        if (settings.Acknowledgements is { } acknowledgements)
        {
            parts.AddRange(acknowledgements.Proxies.Select(Acknowledgement));
            if (acknowledgements.Proxies.Count < ready)
            {
                parts.Add(
                    new Hop("Other proxies", HopState.Unseen)
                    {
                        Message =
                            $"{Count(ready - acknowledgements.Proxies.Count)} of {Count(ready)} proxies are not connected to the "
                            + "manager of --manager-debug-url: ask its other replicas",
                    }
                );
            }
        }

        return Hop.Of(Title, parts, $"{Count(ready)} of {Count(pods.Count)} ready");
    }

    private static Hop Acknowledgement(ProxyAcknowledgement proxy) =>
        proxy.Rejections.Count > 0
            ? new Hop($"Proxy {proxy.Peer}", HopState.Broken)
            {
                Reason = "Rejected",
                Message = $"The proxy rejects its configuration: {proxy.Rejections[0]}",
            }
        : proxy.IsBehind
            ? new Hop($"Proxy {proxy.Peer}", HopState.Waiting)
            {
                Message = "The proxy has not acknowledged the latest configuration. If this lasts, see its log.",
            }
        : new Hop($"Proxy {proxy.Peer}", HopState.Ok) { Detail = "acknowledged the latest configuration" };

    private Hop Nodes(string tenantNamespace)
    {
        const string Title = "Nodes of the tenant";
        var seen = management.Get<Addresses>(tenantNamespace, Addresses.DefaultName);
        if (seen.Value is not { } addresses)
        {
            return new Hop(Title, seen.Unreadable is null ? HopState.Broken : HopState.Unseen)
            {
                Message =
                    seen.Unreadable
                    ?? "The CCM has not reported node addresses: no object Addresses exists. Check that the CCM runs, and its log.",
            };
        }

        var parts = Problems(addresses.Status?.Conditions, AddressesConditions.Accepted).ToList();
        var tenant = management.Get<Tenant>("", TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace).Value;
        parts.AddRange(
            (tenant?.Status?.Conditions ?? [])
                .Where(c =>
                    c is { Status: ConditionStatus.False, Type: TenantCcmConditions.CcmConnected or TenantCcmConditions.ClusterAccepted }
                )
                .Select(c => Of(c.Type, HopState.Warning, c))
        );
        var listed = (addresses.Spec?.Addresses ?? []).Select(a => a.Ip ?? a.Hostname).OfType<string>().ToList();
        var detail =
            $"{Count(listed.Count)} address{(listed.Count == 1 ? "" : "es")}"
            + (listed.Count == 0 ? "" : $": {string.Join(", ", listed.Take(3))}{(listed.Count > 3 ? ", …" : "")}");
        return Hop.Of(Title, parts, detail) with { Subject = ObjectOf(addresses, Addresses.KindName) };
    }

    private Hop Object<T>(string @namespace, string kind, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var seen = management.Get<T>(@namespace, name);
        var @object = new HopObject("management", kind, @namespace, name)
        {
            Created = seen.Value?.Metadata.CreationTimestamp?.ToUniversalTime(),
        };
        return new Hop(
            @object.ToString(),
            seen.Value is not null ? HopState.Ok
                : seen.IsAbsent ? HopState.Broken
                : HopState.Unseen
        )
        {
            Subject = @object,
            Message = seen.Value is not null
                ? null
                : seen.Unreadable ?? $"{@object} does not exist. The manager creates it again; if this lasts, see its log.",
        };
    }

    private static string Ports(string origin, GeneratedService service)
    {
        var ports = (service.Ports ?? []).Select(p => $"{Count(p.Port)} → proxy port {p.TargetPort?.Value ?? "?"}").ToList();
        return $"for {origin}" + (ports.Count == 0 ? "" : $", port {string.Join(", ", ports.Take(3))}{(ports.Count > 3 ? ", …" : "")}");
    }

    internal static bool IsReady(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && (pod.Status?.Conditions ?? []).Any(c => c is { Type: "Ready", Status: "True" });

    private static HopObject ObjectOf(ApiObject value, string kind) =>
        new("management", kind, value.Namespace, value.Name) { Created = value.Metadata.CreationTimestamp?.ToUniversalTime() };

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);
}
