using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;

namespace KubeLB.Inspection.Tracing;

/// <summary>
/// Follows an object through both clusters. Pure: reads objects by look-ups only, and judges them with the functions and the words of the
/// controllers.
/// </summary>
/// <param name="tenant">The objects of the tenant's cluster.</param>
/// <param name="management">The objects of the management cluster.</param>
/// <param name="settings">Which tenant and namespaces are meant.</param>
/// <param name="now">The current time.</param>
public sealed class PathTracer(IObjects tenant, IObjects management, TraceSettings settings, DateTimeOffset now)
{
    private readonly ManagementHops _managementHops = new(management, settings, now);

    /// <summary>Traces an object.</summary>
    /// <param name="target">The object.</param>
    /// <exception cref="InspectionException">The object exists in no cluster that can be read, or is ambiguous.</exception>
    public IReadOnlyList<Trace> Trace(TraceTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return target.Kind switch
        {
            Gateway.KindName => [TraceGateway(target)],
            "Service" => TraceService(target),
            Route.KindName => TraceCopy(target),
            _ => [TraceRoute(target)],
        };
    }

    /// <summary>Traces a route of the tenant.</summary>
    public Trace TraceRoute(TraceTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var source = target.Kind == GrpcRoute.KindName ? Source<GrpcRoute>(target) : Source<HttpRoute>(target);
        var copy = Copy(target.Kind, target.Namespace, target.Name, source.Value?.Metadata.Uid);
        var route = source.Value ?? SourceOf(copy.Value);
        if (route is null && source.IsAbsent && copy.Value is null)
        {
            return Misplaced(target) ?? Missing(target, NamesOf(target));
        }

        var tenantNamespace = copy.Value?.Namespace ?? settings.TenantNamespace;
        var view = View(tenantNamespace);
        var flags = CcmFlags.Read(tenant, tenantNamespace);
        var tenantHops = new TenantHops(tenant, view, flags, tenantNamespace ?? "", now);
        if (source is { Value: null, IsAbsent: false } && copy.IsAbsent)
        {
            if (Misplaced(target) is { } misplaced)
            {
                return misplaced;
            }

            return new Trace(
                ObjectOf("tenant", target, null),
                [
                    new Hop($"{target.Kind} {target.Namespace}/{target.Name}", HopState.Unseen) { Message = source.Unreadable },
                    new Hop("Route", HopState.Broken)
                    {
                        Message =
                            $"The management cluster has no Route of {target.Kind} {target.Namespace}/{target.Name}. Correct the name or "
                            + "--namespace; if it exists in the tenant's cluster, see its conditions there and the log of the CCM.",
                    },
                ]
            );
        }

        List<Hop> hops =
        [
            .. CcmHop.Of(flags, target.Kind, tenantNamespace),
            TenantHops.Source(target, source.Value, source.Unreadable, route),
            tenantHops.Gateways(source.Value ?? route, source.Unreadable),
            tenantHops.Backends(route, source.Unreadable),
        ];
        hops.AddRange(_managementHops.OfRoute(copy, source.Value, route, tenantNamespace));
        return new Trace(ObjectOf("tenant", target, route), hops)
        {
            Tenant = TenantName(tenantNamespace),
            Assumption = source.Value is null ? null : CcmHop.Assumption(flags),
            Endpoint = source.Value is null ? null : tenantHops.Endpoint(source.Value),
        };
    }

    /// <summary>Traces the route that serves a request.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="request">Method and headers.</param>
    public IReadOnlyList<Trace> TraceUrl(Uri url, ProbeRequest request)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentNullException.ThrowIfNull(request);
        var (http, grpc) = (tenant.List<HttpRoute>(), tenant.List<GrpcRoute>());
        var unreadable = http.Unreadable ?? grpc.Unreadable;
        IReadOnlyList<IGatewayRoute> routes = [.. http.Items, .. grpc.Items];
        var managementRoutes = unreadable is null ? default : management.List<Route>(settings.TenantNamespace ?? "");
        if (routes.Count == 0 && managementRoutes.Items is { } copies)
        {
            routes = [.. copies.Select(SourceOf).OfType<IGatewayRoute>()];
        }

        unreadable ??= routes.Count == 0 ? managementRoutes.Unreadable : null;
        var view = View(settings.TenantNamespace);
        var flags = CcmFlags.Read(tenant, settings.TenantNamespace);
        var hops = new TenantHops(tenant, view, flags, settings.TenantNamespace ?? "", now);
        var matches = RequestMatch.Find(routes, url, request).ToList();
        // Routes that are read from copies have no Gateways to compare with.
        var served = matches.Find(m => hops.Serves(m.Route, url));
        if ((served ?? (matches.Count > 0 ? matches[0] : null)) is not { } match)
        {
            if (unreadable is not null)
            {
                return
                [
                    new Trace(
                        new HopObject("tenant", "URL", "", url.ToString()),
                        [new Hop("Rule", HopState.Unseen) { Message = unreadable }]
                    )
                    {
                        NoPathBecause = "the routes could not be read",
                    },
                ];
            }

            var sameHost = routes.Where(r => RequestMatch.HasHostname(r, url.Host)).Take(3).ToList();
            var names = string.Join(
                "; ",
                sameHost.Select(r => $"{r.Kind} {r.Metadata.NamespaceProperty}/{r.Metadata.Name} ({RequestMatch.DescribeAll(r)})")
            );
            return
            [
                new Trace(
                    new HopObject("tenant", "URL", "", url.ToString()),
                    [
                        new Hop("Rule", HopState.Broken)
                        {
                            Message =
                                sameHost.Count == 0
                                    ? $"No route has hostname {url.Host}. Add it to hostnames of an HTTPRoute or GRPCRoute."
                                    : $"No rule matches {request.Method} {url.PathAndQuery}. Routes of hostname {url.Host}: {names}.",
                        },
                    ]
                )
                {
                    NoPathBecause = "no rule matches it",
                },
            ];
        }

        var trace = TraceRoute(new TraceTarget(match.Route.Kind, match.Route.Metadata.NamespaceProperty, match.Route.Metadata.Name));
        var rule = new Hop("Rule", HopState.Ok) { Detail = $"rule {match.Rule + 1} matches: {match.Description}" };
        if (served is null && http.Items.Count + grpc.Items.Count > 0 && view.Unreadable.Count == 0)
        {
            rule = rule with
            {
                State = HopState.Broken,
                Message =
                    $"The route attaches to no listener for {url.GetLeftPart(UriPartial.Authority)}. Request a protocol, port and hostname "
                    + "that a listener of its Gateways has, or add a listener.",
            };
        }

        return [trace with { Hops = [rule, .. trace.Hops], Endpoint = hops.Endpoint(match.Route, url) ?? trace.Endpoint }];
    }

    private TenantObjectsView View(string? tenantNamespace) =>
        new(
            tenant,
            (ns, name) =>
                tenantNamespace is not null && tenant.Get<Gateway>(ns, name).Value?.Metadata.Uid is { } uid
                    ? management.Get<Route>(tenantNamespace, uid).Value
                    : null,
            now
        );

    private Trace TraceGateway(TraceTarget target)
    {
        var source = tenant.Get<Gateway>(target.Namespace, target.Name);
        var copy = Copy(Gateway.KindName, target.Namespace, target.Name, source.Value?.Metadata.Uid);
        if (copy.Value is null && source.Value is null && Misplaced(target) is { } misplaced)
        {
            return misplaced;
        }

        if (source.IsAbsent && copy.Value is null)
        {
            return Missing(target, tenant.List<Gateway>(target.Namespace).Items.Select(g => g.Name));
        }

        var tenantNamespace = copy.Value?.Namespace ?? settings.TenantNamespace;
        var view = new TenantObjectsView(tenant, (_, _) => copy.Value, now);
        var flags = CcmFlags.Read(tenant, tenantNamespace);
        var tenantHops = new TenantHops(tenant, view, flags, tenantNamespace ?? "", now);
        List<Hop> hops = [.. CcmHop.Of(flags, target.Kind, tenantNamespace), tenantHops.Gateway(target, source)];
        hops.AddRange(_managementHops.OfGateway(copy, source.Value, tenantNamespace));
        return new Trace(ObjectOf("tenant", target, source.Value), hops)
        {
            Tenant = TenantName(tenantNamespace),
            Assumption = source.Value is null ? null : CcmHop.Assumption(flags),
        };
    }

    private List<Trace> TraceService(TraceTarget target)
    {
        var (http, grpc) = (tenant.List<HttpRoute>(), tenant.List<GrpcRoute>());
        var routes = http
            .Items.Concat<IGatewayRoute>(grpc.Items)
            .Where(r => Translation.Backends.BackendReferences.ServicesOf(r).Contains((target.Namespace, target.Name)))
            .Select(r => new TraceTarget(r.Kind, r.Metadata.NamespaceProperty, r.Metadata.Name))
            .ToList();
        var unreadable = http.Unreadable ?? grpc.Unreadable;
        return routes.Count > 0
            ? [.. routes.Select(TraceRoute)]
            :
            [
                new Trace(
                    ObjectOf("tenant", target, tenant.Get<V1Service>(target.Namespace, target.Name).Value),
                    [
                        new Hop("Routes", unreadable is null ? HopState.Broken : HopState.Unseen)
                        {
                            Message =
                                unreadable
                                ?? $"No route refers to Service {target.Namespace}/{target.Name}. Add it to backendRefs of a route.",
                        },
                    ]
                ),
            ];
    }

    private List<Trace> TraceCopy(TraceTarget target)
    {
        var copy = management.Get<Route>(target.Namespace, target.Name);
        if (copy.Value is null)
        {
            return
            [
                copy.IsAbsent
                    ? Missing(target, management.List<Route>(target.Namespace).Items.Select(r => r.Name))
                    : new Trace(ObjectOf("management", target, null), [new Hop("Route", HopState.Unseen) { Message = copy.Unreadable }]),
            ];
        }

        if (RouteOrigin.Of(copy.Value) is not { } origin)
        {
            return
            [
                new Trace(
                    ObjectOf("management", target, copy.Value),
                    [
                        new Hop("Route", HopState.Broken)
                        {
                            Subject = ObjectOf("management", target, copy.Value),
                            Message =
                                "The Route does not say which object it was copied from: its labels are missing. "
                                + "Delete it; the CCM writes it again.",
                        },
                    ]
                ),
            ];
        }

        // The kubeconfig may be that of another tenant, which has an object of the same name.
        var source = new TraceTarget(origin.Kind, origin.Namespace, origin.Name);
        var uid =
            source.Kind == Gateway.KindName ? tenant.Get<Gateway>(source.Namespace, source.Name).Value?.Metadata.Uid
            : source.Kind == GrpcRoute.KindName ? tenant.Get<GrpcRoute>(source.Namespace, source.Name).Value?.Metadata.Uid
            : tenant.Get<HttpRoute>(source.Namespace, source.Name).Value?.Metadata.Uid;
        var tracer = new PathTracer(
            uid == target.Name ? tenant : new NoObjects("the cluster of --kubeconfig does not have the object of this Route"),
            management,
            settings with
            {
                TenantNamespace = target.Namespace,
            },
            now
        );
        return [source.Kind == Gateway.KindName ? tracer.TraceGateway(source) : tracer.TraceRoute(source)];
    }

    private Seen<IGatewayRoute> Source<T>(TraceTarget target)
        where T : class, IGatewayRoute
    {
        var (value, unreadable) = tenant.Get<T>(target.Namespace, target.Name);
        return new Seen<IGatewayRoute>(value, unreadable);
    }

    // The Route of a tenant's object: by its name if the object's uid is known, else by its labels.
    private Seen<Route> Copy(string kind, string @namespace, string name, string? uid)
    {
        if (uid is not null && settings.TenantNamespace is { } only)
        {
            return management.Get<Route>(only, uid);
        }

        var selector =
            $"{Labels.OriginNamespace}={Labels.Value(@namespace)},{Labels.OriginName}={Labels.Value(name)},"
            + $"{Labels.OriginResourceKind}={RouteOrigin.ResourceKind(kind)}";
        var (items, unreadable) = management.List<Route>(settings.TenantNamespace ?? "", selector);
        var matching = items.Where(r => uid is null || r.Name == uid).ToList();
        var tenants = matching.Select(r => r.Namespace).Distinct().Order(StringComparer.Ordinal).ToList();
        return tenants.Count > 1
            ? throw new InspectionException(
                $"{kind} {@namespace}/{name} exists in the clusters of {tenants.Count} tenants "
                    + $"({string.Join(", ", tenants.Take(5).Select(TenantName))}{(tenants.Count > 5 ? ", …" : "")}). Add --tenant."
            )
            : new Seen<Route>(matching.FirstOrDefault(), unreadable);
    }

    private static IGatewayRoute? SourceOf(Route? copy) => copy is null ? null : SourceObject.Read(copy).Source?.Value as IGatewayRoute;

    private IEnumerable<string> NamesOf(TraceTarget target) =>
        target.Kind == GrpcRoute.KindName
            ? tenant.List<GrpcRoute>(target.Namespace).Items.Select(r => r.Name)
            : tenant.List<HttpRoute>(target.Namespace).Items.Select(r => r.Name);

    private static Trace Missing(TraceTarget target, IEnumerable<string> names)
    {
        var meant = Translation.Matching.Misspellings.Nearest(target.Name, names.Order(StringComparer.Ordinal));
        return new Trace(
            ObjectOf("tenant", target, null),
            [
                new Hop(target.Kind, HopState.Broken)
                {
                    Subject = ObjectOf("tenant", target, null),
                    Reason = "NotFound",
                    Message =
                        $"{target.Kind} {target.Namespace}/{target.Name} does not exist. "
                        + (meant is null ? "Correct the name, or add --namespace." : $"Did you mean {meant}?"),
                },
            ]
        );
    }

    // An object that was created in the management cluster instead of the tenant's; null if there is none. Generated objects are in the
    // namespaces of tenants.
    private Trace? Misplaced(TraceTarget target)
    {
        if (TenantNames.TenantOf(target.Namespace) is not null)
        {
            return null;
        }

        k8s.IKubernetesObject<V1ObjectMeta>? found = target.Kind switch
        {
            Gateway.KindName => management.Get<Gateway>(target.Namespace, target.Name).Value,
            GrpcRoute.KindName => management.Get<GrpcRoute>(target.Namespace, target.Name).Value,
            _ => management.Get<HttpRoute>(target.Namespace, target.Name).Value,
        };
        var title = $"{target.Kind} {target.Namespace}/{target.Name}";
        return found is null
            ? null
            : new Trace(
                ObjectOf("management", target, found),
                [
                    new Hop(title, HopState.Broken)
                    {
                        Subject = ObjectOf("management", target, found),
                        Message =
                            $"{title} was created in the management cluster; KubeLB serves objects of the tenants' clusters. Create it "
                            + "in the tenant's cluster, or add --kubeconfig or --context to trace it there.",
                    },
                ]
            );
    }

    private static string? TenantName(string? tenantNamespace) =>
        tenantNamespace is null ? null : TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace;

    private static HopObject ObjectOf(string cluster, TraceTarget target, k8s.IKubernetesObject<V1ObjectMeta>? value) =>
        new(cluster, target.Kind, target.Namespace, target.Name) { Created = value?.Metadata?.CreationTimestamp?.ToUniversalTime() };
}

/// <summary>What a trace cannot know from the objects.</summary>
public sealed record TraceSettings
{
    /// <summary>The tenant's namespace in the management cluster; null to find it.</summary>
    public string? TenantNamespace { get; init; }

    /// <summary>Namespace of the manager and its Config.</summary>
    public string ManagerNamespace { get; init; } = "kubelb";

    /// <summary>Namespace of Envoy Gateway and its proxies.</summary>
    public string EnvoyGatewayNamespace { get; init; } = "envoy-gateway-system";

    /// <summary>What the tenant's proxies have accepted (the manager's <c>/debug/xds</c>); null if it is not known.</summary>
    public ProxyAcknowledgements? Acknowledgements { get; init; }
}
