using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>A selected object: its path, and its conditions on both sides.</summary>
/// <param name="Paths">The paths; several for a Service that several routes refer to.</param>
/// <param name="Conditions">The conditions of the tenant's object, its Route and the generated object.</param>
/// <param name="Problem">Why there is no path; null if there is one.</param>
internal sealed record TraceView(IReadOnlyList<TracedPath> Paths, IReadOnlyList<ConditionView> Conditions, string? Problem);

/// <summary>A path with its drawing.</summary>
internal sealed record TracedPath(Trace Trace, PathDrawing Drawing);

/// <summary>A condition of an object.</summary>
internal sealed record ConditionView(
    string Cluster,
    string Object,
    string Type,
    string Status,
    string Reason,
    string Message,
    string? Time
);

/// <summary>Traces selected objects in the caches.</summary>
internal sealed class TraceViews(DashboardClusters clusters, TraceSettings settings, ProxyStates proxies, TimeProvider time)
{
    private const int MaxPaths = 20;
    private const int MaxConditions = 200;
    private const int MaxMessage = 1024;
    private const int MaxParts = 300;

    /// <summary>Traces an object.</summary>
    public IReadOnlyList<Trace> Trace(ObjectSelection selection)
    {
        var tenantNamespace =
            selection.Tenant is { Length: > 0 } tenant ? TenantNames.Namespace(tenant)
            : clusters.TenantOf(null) is { Namespace: { } only } ? only
            : settings.TenantNamespace;
        var tracer = new PathTracer(
            clusters.TenantObjects(tenantNamespace),
            clusters.ManagementObjects,
            settings with
            {
                TenantNamespace = tenantNamespace,
                Acknowledgements = tenantNamespace is null ? null : proxies.Of(TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace),
            },
            time.GetUtcNow()
        );
        return tracer.Trace(new TraceTarget(selection.Kind, selection.Namespace, selection.Name));
    }

    /// <summary>The details of an object.</summary>
    public TraceView View(ObjectSelection selection)
    {
        if (selection.Kind == Tenant.KindName)
        {
            var tenant = clusters.Management?.Get<Tenant>("", selection.Name).Value;
            return new TraceView([], [.. Views("management", $"Tenant {selection.Name}", tenant?.Status?.Conditions)], null);
        }

        try
        {
            var traces = Trace(selection);
            return new TraceView(
                [.. traces.Take(MaxPaths).Select(t => new TracedPath(Bounded(t), PathDrawing.Of(t)))],
                [.. traces.Take(1).SelectMany(Conditions).Take(MaxConditions)],
                null
            );
        }
        catch (InspectionException e)
        {
            return new TraceView([], [], e.Message);
        }
#pragma warning disable CA1031 // An object of a tenant that no code expected must not end the page for the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new TraceView([], [], $"The object cannot be traced: {e.GetType().Name}.");
        }
    }

    // Names and messages of tenants: of limited size, and without characters that change the writing direction.
    private static Trace Bounded(Trace trace) => trace with { Target = Bounded(trace.Target), Hops = [.. trace.Hops.Select(Bounded)] };

    private static Hop Bounded(Hop hop) =>
        hop with
        {
            Title = MessageText.Message(hop.Title, MaxMessage),
            Subject = hop.Subject is null ? null : Bounded(hop.Subject),
            Detail = Bounded(hop.Detail),
            Reason = Bounded(hop.Reason),
            Message = Bounded(hop.Message),
            Parts = [.. hop.Parts.Take(MaxParts).Select(Bounded)],
        };

    private static HopObject Bounded(HopObject value) =>
        value with
        {
            Namespace = MessageText.Message(value.Namespace, MaxMessage),
            Name = MessageText.Message(value.Name, MaxMessage),
        };

    private static string? Bounded(string? text) => text is null ? null : MessageText.Message(text, MaxMessage);

    private IEnumerable<ConditionView> Conditions(Trace trace)
    {
        var target = trace.Target;
        var tenantNamespace = trace.Tenant is null ? null : TenantNames.Namespace(trace.Tenant);
        var tenant = clusters.TenantObjects(tenantNamespace);
        var management = clusters.ManagementObjects;
        var copy = trace.Hops.Select(h => h.Subject).FirstOrDefault(s => s is { Kind: Route.KindName, Cluster: "management" });
        var route = copy is null ? null : management.Get<Route>(copy.Namespace, copy.Name).Value;
        var generated = route?.Status?.Resources?.Route?.GeneratedName ?? "";
        var conditions = target.Kind switch
        {
            Gateway.KindName => Of("tenant", tenant.Get<Gateway>(target.Namespace, target.Name).Value),
            HttpRoute.KindName => Of("tenant", tenant.Get<HttpRoute>(target.Namespace, target.Name).Value),
            GrpcRoute.KindName => Of("tenant", tenant.Get<GrpcRoute>(target.Namespace, target.Name).Value),
            _ => [],
        };
        if (route is null)
        {
            return conditions;
        }

        return conditions
            .Concat(Views("management", $"Route {route.Namespace}/{route.Name}", route.Status?.Conditions))
            .Concat(
                Views("management", $"Route {route.Namespace}/{route.Name}, generated object", route.Status?.Resources?.Route?.Conditions)
            )
            .Concat(
                target.Kind switch
                {
                    Gateway.KindName => Of("management", management.Get<Gateway>(route.Namespace, generated).Value),
                    HttpRoute.KindName => Of("management", management.Get<HttpRoute>(route.Namespace, generated).Value),
                    GrpcRoute.KindName => Of("management", management.Get<GrpcRoute>(route.Namespace, generated).Value),
                    _ => [],
                }
            );
    }

    private static IEnumerable<ConditionView> Of(string cluster, Gateway? gateway) =>
        gateway is null
            ? []
            : Views(cluster, $"Gateway {gateway.Namespace}/{gateway.Name}", gateway.Status?.Conditions)
                .Concat(
                    (gateway.Status?.Listeners ?? []).SelectMany(l =>
                        Views(cluster, $"Gateway {gateway.Namespace}/{gateway.Name}, listener {l.Name}", l.Conditions)
                    )
                );

    private static IEnumerable<ConditionView> Of(string cluster, IGatewayRoute? route) =>
        (route?.Status?.Parents ?? []).SelectMany(p =>
            Views(cluster, $"{route!.Kind} {route.Namespace()}/{route.Name()}, parent {p.ParentRef.Name}", p.Conditions)
        );

    private static IEnumerable<ConditionView> Views(string cluster, string @object, IEnumerable<Condition>? conditions) =>
        (conditions ?? []).Select(c => new ConditionView(
            cluster,
            @object,
            MessageText.Message(c.Type, MaxMessage),
            MessageText.Message(c.Status, MaxMessage),
            MessageText.Message(c.Reason, MaxMessage),
            MessageText.Message(c.Message, MaxMessage),
            Bounded(c.LastTransitionTime)
        ));
}
