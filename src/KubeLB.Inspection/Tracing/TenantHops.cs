using System.Globalization;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Inspection.Access;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Tracing;

/// <summary>The hops in the tenant's cluster: the object itself, its Gateways and its Services.</summary>
internal sealed class TenantHops(IObjects tenant, TenantObjectsView view, CcmFlags flags, string tenantNamespace, DateTimeOffset now)
{
    private const int MaxListed = 5;

    // In the status of a Gateway that no controller has reported on, by the definition of Gateway API.
    private const string WaitingForController = "Waiting for controller";

    private readonly TenantSettings _settings = flags.Settings(tenantNamespace);

    // How long the CCM usually needs for a new object.
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    /// <summary>The route as the tenant wrote it.</summary>
    public static Hop Source(TraceTarget target, IGatewayRoute? source, string? unreadable, IGatewayRoute? known)
    {
        var @object = new HopObject("tenant", target.Kind, target.Namespace, target.Name)
        {
            Created = source?.Metadata.CreationTimestamp?.ToUniversalTime(),
        };
        var detail = known is null ? null : Describe(known);
        if (source is null)
        {
            return unreadable is null
                ? new Hop(@object.ToString(), HopState.Broken)
                {
                    Subject = @object,
                    Message = $"{@object} does not exist any longer; its copies are being deleted.",
                }
                : new Hop(@object.ToString(), HopState.Unseen)
                {
                    Subject = @object,
                    Detail = detail,
                    Message = unreadable,
                };
        }

        var warnings = OwnConditions(source)
            .Where(c =>
                // What is served is the last configuration that the proxies accepted.
                (c.Type is GatewayConditions.RetryPolicyApplied or GatewayConditions.ProxyProgrammed && c.Status == ConditionStatus.False)
                || (
                    c.IsTrue
                    && c.Type
                        is GatewayConditions.FieldsIgnored
                            or GatewayConditions.DefaultExceeded
                            or GatewayConditions.PartiallyInvalid
                            or GatewayConditions.RouteRulesOverlap
                )
            )
            .DistinctBy(c => c.Type)
            .Select(c => Of(c.Type, HopState.Warning, c))
            .Concat(ShadowedRules(source))
            .ToList();
        return Hop.Of(@object.ToString(), warnings, detail) with { Subject = @object };
    }

    // Gateway API has no condition for rules of one route.
    private static IEnumerable<Hop> ShadowedRules(IGatewayRoute route) =>
        RequestMatch
            .Shadowed(route)
            .Take(MaxListed)
            .Select(s => new Hop($"Rule {Number(s.Rule + 1)}", HopState.Warning)
            {
                Message =
                    $"It gets no requests: rule {Number(s.First + 1)} has the same match and comes first. Change the match, or remove one "
                    + "of them.",
            });

    /// <summary>The Gateways that the route attaches to.</summary>
    public Hop Gateways(IGatewayRoute? route, string? unreadable)
    {
        const string Title = "Gateways";
        if (route is null || unreadable is not null)
        {
            return new Hop(Title, HopState.Unseen) { Message = unreadable };
        }

        var before = view.Unreadable.Count;
        var attachments = RouteAttachment.Evaluate(route, view, _settings);
        var parents = route
            .ParentRefs.Where(p => p.RefersToGateway())
            .Select(parentRef =>
                Parent(
                    route,
                    parentRef,
                    attachments.FirstOrDefault(a => a.Ref.IsSameAs(parentRef)),
                    isOnly: !attachments.Any(a => a.IsAttached)
                )
            )
            .Select(hop => Doubted(hop, before))
            .ToList();
        return parents.Count > 0
            ? Hop.Of(Title, parents)
            : new Hop(Title, HopState.Broken) { Message = "The route has no parentRef to a Gateway. Add the Gateway to parentRefs." };
    }

    /// <summary>Where a client sends requests of the route; null if no Gateway that it attaches to has an address.</summary>
    /// <param name="route">The route.</param>
    /// <param name="url">The URL of the requests; null for any listener.</param>
    public TraceEndpoint? Endpoint(IGatewayRoute route, Uri? url = null)
    {
        foreach (var attachment in RouteAttachment.Evaluate(route, view, _settings).Where(a => a.IsAttached))
        {
            if (
                attachment.Gateway.Status?.Addresses?.Find(a => a.Value is { Length: > 0 }) is { } address
                && attachment.Listeners.FirstOrDefault(l => url is null || Serves(l, url)) is { } listener
            )
            {
                var hostname = (route.Hostnames.Count > 0 ? route.Hostnames[0] : listener.Hostname) is { Length: > 0 } named
                    ? named
                    : address.Value!;
                return new TraceEndpoint(
                    SchemeOf(listener),
                    address.Value!,
                    listener.Port,
                    hostname.StartsWith("*.", StringComparison.Ordinal) ? "www" + hostname[1..] : hostname,
                    PathOf(route)
                );
            }
        }

        return null;
    }

    /// <summary>Whether the route attaches to a listener that serves the URL.</summary>
    public bool Serves(IGatewayRoute route, Uri url) =>
        RouteAttachment.Evaluate(route, view, _settings).Any(a => a.Listeners.Any(l => Serves(l, url)));

    private static bool Serves(Listener listener, Uri url) =>
        SchemeOf(listener) == url.Scheme
        && listener.Port == url.Port
        && (string.IsNullOrEmpty(listener.Hostname) || Hostnames.IsWithin(url.Host, listener.Hostname));

    private static string SchemeOf(Listener listener) => listener.Protocol == "HTTPS" ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;

    /// <summary>The Services of the route, with node ports and endpoints.</summary>
    public Hop Backends(IGatewayRoute? route, string? unreadable)
    {
        const string Title = "Backends";
        if (route is null || unreadable is not null)
        {
            return new Hop(Title, HopState.Unseen) { Message = unreadable };
        }

        var grants = new BackendGrants(route, view, _settings);
        var parts = BackendReferences
            .Of(route)
            .DistinctBy(b => (b.Namespace, b.Ref.Kind, b.Ref.Name, b.Ref.Port))
            .Select(b => (Before: view.Unreadable.Count, Backend: b))
            .Select(b => Doubted(Backend(b.Backend, grants), b.Before))
            .ToList();
        // What only the CCM knows: its flags, and errors of node-port Services.
        var reported = OwnConditions(route)
            .Where(c => c.Status == ConditionStatus.False && c.Type is GatewayConditions.ResolvedRefs or GatewayConditions.BackendsReady)
            .DistinctBy(c => c.Type)
            .Select(c => Of(c.Type, HopState.Broken, c));
        if (!parts.Exists(p => p.State == HopState.Broken))
        {
            parts.AddRange(reported);
        }

        return parts.Count > 0 ? Hop.Of(Title, parts) : new Hop(Title, HopState.Ok) { Detail = "none: the rules respond themselves" };
    }

    /// <summary>A Gateway as the traced object.</summary>
    public Hop Gateway(TraceTarget target, Seen<Gateway> seen)
    {
        if (seen.Value is not { } gateway)
        {
            var title = $"Gateway {target.Namespace}/{target.Name}";
            return seen.IsAbsent
                ? new Hop(title, HopState.Broken) { Message = $"{title} does not exist any longer; its copies are being deleted." }
                : new Hop(title, HopState.Unseen) { Message = seen.Unreadable };
        }

        var before = view.Unreadable.Count;
        var parts = new List<Hop>();
        if (Ownership(gateway) is { } foreign)
        {
            parts.Add(foreign);
        }
        else
        {
            // Listeners have the cause if the Gateway's own condition refers to them.
            parts.AddRange((gateway.Status?.Listeners ?? []).Select(l => Listener(gateway, l)));
            parts.AddRange(Conditions(gateway));
        }

        return Doubted(Hop.Of(ObjectOf(gateway).ToString(), parts, Addresses(gateway)) with { Subject = ObjectOf(gateway) }, before);
    }

    /// <summary>A problem in the words of a condition.</summary>
    internal static Hop Of(string title, HopState state, Condition condition) =>
        new(title, state)
        {
            Reason = condition.Reason,
            Message = condition.Message,
            IsReported = true,
        };

    /// <summary>The conditions that keep an object from serving: False is a problem, Unknown under way.</summary>
    internal static IEnumerable<Hop> Problems(IEnumerable<Condition>? conditions, params string[] types) =>
        (conditions ?? [])
            .Where(c => types.Contains(c.Type) && c.Status != ConditionStatus.True)
            .Select(c => Of(c.Type, c.Status == ConditionStatus.False ? HopState.Broken : HopState.Waiting, c));

    // What was judged without objects that could not be read is not known. Reported conditions are.
    private Hop Doubted(Hop hop, int before)
    {
        var unreadable = view.Unreadable.Skip(before).Distinct(StringComparer.Ordinal).ToList();
        return unreadable.Count == 0
            ? hop
            : Hop.Of(
                hop.Title,
                [.. hop.Parts.Where(p => p.IsReported), .. unreadable.Select(u => new Hop("Not judged", HopState.Unseen) { Message = u })],
                hop.Detail
            ) with
            {
                Subject = hop.Subject,
            };
    }

    private Hop Parent(IGatewayRoute route, ParentReference parentRef, ParentAttachment? attachment, bool isOnly)
    {
        var @namespace = parentRef.Namespace ?? route.Metadata.NamespaceProperty;
        var seen = tenant.Get<Gateway>(@namespace, parentRef.Name);
        var title = $"Gateway {@namespace}/{parentRef.Name}" + (parentRef.SectionName is { } section ? $", listener {section}" : "");
        if (seen.Value is not { } gateway)
        {
            var missing = RouteAttachment.MissingParent(route, view);
            return seen.Unreadable is { } unreadable
                ? new Hop(title, HopState.Unseen) { Message = unreadable }
                : new Hop(title, HopState.Broken) { Reason = missing?.Reason, Message = missing?.Message };
        }

        var parts = new List<Hop>();
        var reported = (route.Status?.Parents ?? []).Find(p =>
            p.ControllerName == GatewayClass.KubelbController && p.ParentRef.IsSameAs(parentRef)
        );
        if (attachment is null)
        {
            if (Ownership(gateway) is { } foreign)
            {
                // A route may also have parents of other controllers.
                parts.Add(isOnly ? foreign : foreign with { State = HopState.Warning });
            }
        }
        else if ((attachment.Rejection ?? attachment.GatewayRejection) is { } rejection)
        {
            parts.Add(
                new Hop("Attachment", HopState.Broken)
                {
                    Reason = rejection.Reason,
                    Message = RouteMessages.WithRemedy(rejection.Reason, rejection.Message),
                    IsReported =
                        reported?.Conditions.Exists(c =>
                            c is { Type: GatewayConditions.Accepted, Status: ConditionStatus.False } && c.Reason == rejection.Reason
                        ) == true,
                }
            );
        }
        else
        {
            parts.AddRange(
                reported is null ? [NotReported("route", route.Metadata)] : Problems(reported.Conditions, GatewayConditions.Accepted)
            );
            parts.AddRange(Conditions(gateway));
        }

        var listeners = attachment?.Listeners.Select(l => l.Name).ToList() ?? [];
        var detail = string.Join(
            "; ",
            new[]
            {
                listeners.Count > 0 ? $"listener{(listeners.Count > 1 ? "s" : "")} {Listed(listeners)}" : null,
                Addresses(gateway),
            }.OfType<string>()
        );
        return Hop.Of(title, parts, detail.Length > 0 ? detail : null) with { Subject = ObjectOf(gateway) };
    }

    private Hop NotReported(string what, V1ObjectMeta metadata) =>
        flags.IsDown ? new Hop("Status", HopState.Broken) { Message = $"The CCM has not reported on the {what}. {CcmHop.Down(flags)}" }
        : now - metadata.CreationTimestamp?.ToUniversalTime() < Usual
            ? new Hop("Status", HopState.Waiting) { Message = $"The CCM has not reported on the {what} yet." }
        : new Hop("Status", HopState.Broken)
        {
            Message =
                $"The CCM has not reported on the {what}. Check that this is the tenant's cluster, and that the CCM runs with "
                + "--enable-gateway-api; see its log.",
        };

    private Hop? Ownership(Gateway gateway)
    {
        var ownership = GatewayOwnership.Evaluate(gateway, view, _settings);
        return ownership.IsOwned
            ? null
            : new Hop("GatewayClass", HopState.Broken)
            {
                Reason = ownership.Reason,
                Message =
                    ownership.Message
                    ?? $"GatewayClass {gateway.Spec?.GatewayClassName} is not one of KubeLB: another controller serves the Gateway.",
            };
    }

    private List<Hop> Conditions(Gateway gateway)
    {
        var accepted = gateway.Status?.Conditions?.Find(c => c.Type == GatewayConditions.Accepted);
        if (accepted is null or { Status: ConditionStatus.Unknown, Message: WaitingForController })
        {
            return [NotReported("Gateway", gateway.Metadata)];
        }

        var problems = Problems(gateway.Status?.Conditions, GatewayConditions.Accepted, GatewayConditions.Programmed).ToList();
        if (problems.Count > 0 || !(gateway.Metadata.Generation > (accepted.ObservedGeneration ?? 0)))
        {
            return problems;
        }

        var text = $"The CCM has not reported on generation {gateway.Metadata.Generation} of the Gateway yet.";
        return
        [
            flags.IsDown
                ? new Hop("Status", HopState.Broken) { Message = $"{text} {CcmHop.Down(flags)}" }
                : new Hop("Status", HopState.Waiting) { Message = text },
        ];
    }

    private static Hop Listener(Gateway gateway, ListenerStatus status)
    {
        var spec = gateway.Spec?.Listeners?.Find(l => l.Name == status.Name);
        var problems = (status.Conditions ?? [])
            .Where(c => c is { Type: GatewayConditions.Conflicted, IsTrue: true })
            .Select(c => Of(c.Type, HopState.Broken, c))
            .Concat(Problems(status.Conditions, GatewayConditions.Accepted, GatewayConditions.Programmed, GatewayConditions.ResolvedRefs))
            .DistinctBy(p => p.Message)
            .ToList();
        var detail =
            (spec is null ? "" : $"{spec.Protocol} {Number(spec.Port)}, ")
            + $"{Number(status.AttachedRoutes)} attached route{(status.AttachedRoutes == 1 ? "" : "s")}";
        return Hop.Of($"Listener {status.Name}", problems, detail);
    }

    private Hop Backend(BackendReference backend, BackendGrants grants)
    {
        var title =
            $"{backend.Ref.Kind ?? V1Service.KubeKind} {backend.Namespace}/{backend.Ref.Name}"
            + (backend.Ref.Port is { } number ? $":{Number(number)}" : "");
        var seen = backend.IsService ? tenant.Get<V1Service>(backend.Namespace, backend.Ref.Name) : default;
        if (seen.Unreadable is { } unreadable)
        {
            return new Hop(title, HopState.Unseen) { Message = unreadable };
        }

        var @object = new HopObject("tenant", V1Service.KubeKind, backend.Namespace, backend.Ref.Name)
        {
            Created = seen.Value?.Metadata.CreationTimestamp?.ToUniversalTime(),
        };
        if (BackendResolution.Problem(backend, view, grants) is { } problem)
        {
            return new Hop(title, HopState.Broken)
            {
                Subject = @object,
                Reason = problem.Reason,
                Message = problem.Message,
            };
        }

        var (service, port) = (seen.Value!, backend.Ref.Port!.Value);
        var parts = new List<Hop> { NodePort(service, port), Endpoints(service, port) };
        return Hop.Of(title, parts) with { Subject = @object };
    }

    private Hop NodePort(V1Service service, int port)
    {
        var isNeeded = NodePortService.IsNeededFor(service, [port]);
        var reachable = isNeeded ? NodePortService.Find(view, service.Namespace(), service.Name()) : service;
        var nodePort = reachable?.Spec.Ports.FirstOrDefault(p => p.Port == port && p.Protocol is null or "TCP")?.NodePort;
        return nodePort is > 0
            ? new Hop("Node port", HopState.Ok)
            {
                Subject = new HopObject("tenant", V1Service.KubeKind, reachable!.Namespace(), reachable.Name())
                {
                    Created = reachable!.Metadata.CreationTimestamp?.ToUniversalTime(),
                },
                Detail = Number(nodePort.Value) + (isNeeded ? $" of Service {reachable.Name()}" : ""),
            }
            : new Hop("Node port", HopState.Waiting)
            {
                Message = "The Service has no node port yet. If this lasts, see the Events of the route and the log of the CCM.",
            };
    }

    private Hop Endpoints(V1Service service, int port)
    {
        var ready = view.EndpointSlices(service.Namespace(), service.Name())
            .SelectMany(s => s.Endpoints ?? [])
            .Where(e => e.Conditions?.Ready is not false)
            .Select(e => e.Addresses?.FirstOrDefault())
            .Distinct()
            .Count();
        return BackendReadiness.ProblemOf(service, port, view) is { } problem
            ? new Hop("Endpoints", HopState.Broken) { Reason = GatewayConditions.NoReadyEndpoints, Message = problem }
            : new Hop("Endpoints", HopState.Ok) { Detail = $"{Number(ready)} ready" };
    }

    private static string PathOf(IGatewayRoute route) =>
        route
            .Rules.OfType<HttpRouteRule>()
            .SelectMany(r => r.Matches ?? [])
            .Select(m => m.Path)
            .FirstOrDefault(p => p?.Value is { Length: > 0 } && p.Type is null or "Exact" or "PathPrefix")
            ?.Value
        ?? "/";

    private static string Describe(IGatewayRoute route)
    {
        var rules = route.Rules.Count;
        var hostnames = route.Hostnames.Count == 0 ? "any hostname" : Listed(route.Hostnames);
        return $"{hostnames}; {Number(rules)} rule{(rules == 1 ? "" : "s")}";
    }

    private static string? Addresses(Gateway gateway) =>
        gateway.Status?.Addresses is { Count: > 0 } addresses ? $"address {Listed([.. addresses.Select(a => a.Value ?? "")])}" : null;

    private static string Listed(IReadOnlyList<string> names) => MessageText.List(names, MaxListed);

    private static HopObject ObjectOf(Gateway gateway) =>
        new("tenant", KubeLB.Api.GatewayApi.Gateway.KindName, gateway.Namespace, gateway.Name)
        {
            Created = gateway.Metadata.CreationTimestamp?.ToUniversalTime(),
        };

    private static IEnumerable<Condition> OwnConditions(IGatewayRoute route) =>
        (route.Status?.Parents ?? []).Where(p => p.ControllerName == GatewayClass.KubelbController).SelectMany(p => p.Conditions);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
