using CsCheck;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>Attachment against a slow and obvious model, which goes through every listener of every Gateway for every parentRef.</summary>
public sealed class AttachmentProperties
{
    private static readonly TenantSettings Settings = new("tenant-t");
    private static readonly string[] Namespaces = ["infra", "team"];
    private static readonly string[] HostLabels = ["a", "b"];

    /// <summary>Every host name of one to four labels.</summary>
    private static readonly string[] Universe = [.. Enumerable.Range(1, 4).SelectMany(Names)];

    private static readonly Gen<string> Hostname = Gen.Select(Gen.Bool, OneOf(HostLabels).Array[1, 3])
        .Select((wildcard, labels) => (wildcard ? "*." : "") + string.Join('.', labels));

    private static readonly Gen<Dictionary<string, string>> NamespaceLabels = Gen.Select(OneOf("", "x", "y"), OneOf("", "x", "y"))
        .Select((one, two) => new[] { ("one", one), ("two", two) }.Where(l => l.Item2.Length > 0).ToDictionary(l => l.Item1, l => l.Item2));

    private static readonly Gen<V1LabelSelectorRequirement> Requirement = Gen.Select(
            OneOf("one", "two"),
            OneOf("In", "NotIn", "Exists", "DoesNotExist"),
            OneOf("x", "y").Array[1, 2]
        )
        .Select(
            (key, op, values) =>
                new V1LabelSelectorRequirement
                {
                    Key = key,
                    OperatorProperty = op,
                    Values = op is "In" or "NotIn" ? [.. values.Distinct()] : null,
                }
        );

    private static readonly Gen<V1LabelSelector?> Selector = Gen.Select(Gen.Int[0, 5], NamespaceLabels, Requirement.Array[0, 2])
        .Select(
            (none, labels, expressions) =>
                none == 0
                    ? null
                    : new V1LabelSelector
                    {
                        MatchLabels = labels.Count == 0 ? null : labels,
                        MatchExpressions = expressions.Length == 0 ? null : [.. expressions],
                    }
        );

    private static readonly Gen<RouteGroupKind> Kind = Gen.Select(
            OneOf<string?>(null, ApiGroups.GatewayApi, "example.com"),
            OneOf("HTTPRoute", "GRPCRoute", "TCPRoute")
        )
        .Select((group, kind) => new RouteGroupKind { Group = group, Kind = kind });

    private static readonly Gen<AllowedRoutes?> Allowed = Gen.Select(
            OneOf<string?>(null, "All", "Same", "Selector", "None"),
            Selector,
            Kind.Array[0, 2],
            Gen.Int[0, 4]
        )
        .Select(
            (from, selector, kinds, none) =>
                none == 0
                    ? null
                    : new AllowedRoutes
                    {
                        Namespaces = from is null
                            ? null
                            : new RouteNamespaces { From = from, Selector = from == "Selector" ? selector : null },
                        Kinds = kinds.Length == 0 ? null : [.. kinds],
                    }
        );

    private static readonly Gen<Listener> Listener = Gen.Select(
            OneOf(80, 443),
            OneOf("HTTP", "HTTP", "HTTPS", "TCP", "TLS"),
            Hostname,
            Gen.Bool,
            Allowed
        )
        .Select(
            (port, protocol, hostname, hasHostname, allowed) =>
                new Listener
                {
                    Port = port,
                    Protocol = protocol,
                    Hostname = hasHostname ? hostname : null,
                    AllowedRoutes = allowed,
                }
        );

    private static readonly Gen<Gateway> AnyGateway = Gen.Select(
            OneOf(Namespaces),
            OneOf("gw", "other"),
            OneOf("kubelb", "kubelb", "ours", "foreign", "unknown"),
            Listener.Array[1, 3]
        )
        .Select(
            (ns, name, className, listeners) =>
                new Gateway
                {
                    Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name },
                    Spec = new GatewaySpec { GatewayClassName = className, Listeners = [.. listeners.Select((l, i) => Named(l, $"l{i}"))] },
                }
        );

    private static readonly Gen<ParentReference> ParentRef = Gen.Select(
            OneOf("gw", "other"),
            OneOf<string?>(null, "infra", "team"),
            OneOf<string?>(null, null, "l0", "l1", "nowhere"),
            OneOf<int?>(null, null, 80, 8080),
            OneOf<string?>(null, null, "Gateway", "Service")
        )
        .Select(
            (name, ns, section, port, kind) =>
                new ParentReference
                {
                    Name = name,
                    Namespace = ns,
                    SectionName = section,
                    Port = port,
                    Kind = kind,
                }
        );

    private static readonly Gen<IGatewayRoute> Route = Gen.Select(OneOf(Namespaces), Gen.Bool, Hostname.Array[0, 2], ParentRef.Array[1, 4])
        .Select(
            (ns, http, hostnames, parents) =>
            {
                var metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = "r" };
                return http
                    ? (IGatewayRoute)
                        new HttpRoute
                        {
                            Metadata = metadata,
                            Spec = new HttpRouteSpec { Hostnames = [.. hostnames], ParentRefs = [.. parents] },
                        }
                    : new GrpcRoute
                    {
                        Metadata = metadata,
                        Spec = new GrpcRouteSpec { Hostnames = [.. hostnames], ParentRefs = [.. parents] },
                    };
            }
        );

    [Fact]
    public void Every_parentRef_has_the_result_of_the_model() =>
        Gen.Select(Route, AnyGateway.Array[1, 3], NamespaceLabels, NamespaceLabels)
            .Sample(
                (route, gateways, infra, team) =>
                {
                    var tenant = new TenantStub();
                    tenant.Classes.Add(Class("ours", GatewayClass.KubelbController));
                    tenant.Classes.Add(Class("foreign", "example.com/foreign"));
                    tenant.Gateways.AddRange(gateways.DistinctBy(g => (g.Namespace, g.Name)));
                    tenant.Namespaces["infra"] = infra;
                    tenant.Namespaces["team"] = team;

                    var actual = RouteAttachment
                        .Evaluate(route, tenant, Settings)
                        .Select(v => Describe(v.Gateway, v.Ref, v.Rejection?.Reason, ListenersOf(v)));

                    actual.Should().Equal(WithoutRedundantListeners(Model(route, tenant), route.Hostnames));
                },
                iter: 5000
            );

    // A listener does not serve the route if more specific listeners of its port serve all its names.
    private static IEnumerable<string> WithoutRedundantListeners(
        IEnumerable<(Gateway Gateway, ParentReference Ref, string? Reason, List<Listener> Listeners)> parents,
        IReadOnlyList<string> hostnames
    )
    {
        var all = parents.ToList();
        foreach (var (gateway, parent, reason, listeners) in all)
        {
            var others = all.Where(p => p.Gateway == gateway).SelectMany(p => p.Listeners).Distinct().ToList();
            bool IsRedundant(Listener listener) =>
                hostnames.Count > 0
                && listener.Protocol == "HTTP"
                && Served(listener).All(name => others.Exists(other => IsMoreSpecific(other, listener) && Served(other).Contains(name)));
            IEnumerable<string> Served(Listener listener) =>
                Universe.Where(name =>
                    (listener.Hostname is null || Matches(listener.Hostname, name)) && hostnames.Any(h => Matches(h, name))
                );
            var serving = listeners.Where(l => !IsRedundant(l)).ToList();
            if (serving.Count == 0)
            {
                serving =
                [
                    .. others.Where(other =>
                        !IsRedundant(other) && listeners.Exists(l => IsMoreSpecific(other, l) && Served(l).Intersect(Served(other)).Any())
                    ),
                ];
            }

            var names = serving.Select(l => l.Name).Order(StringComparer.Ordinal);
            yield return Describe(gateway, parent, reason, names);
        }
    }

    private static bool IsMoreSpecific(Listener other, Listener listener) =>
        other.Protocol == listener.Protocol
        && other.Port == listener.Port
        && other.Hostname is not null
        && other.Hostname != listener.Hostname
        && (listener.Hostname is null || Matches(listener.Hostname, other.Hostname.Replace("*.", "a.", StringComparison.Ordinal)));

    private static IEnumerable<(Gateway Gateway, ParentReference Ref, string? Reason, List<Listener> Listeners)> Model(
        IGatewayRoute route,
        TenantStub tenant
    )
    {
        foreach (var parent in route.ParentRefs.DistinctBy(p => (p.Name, p.Namespace, p.SectionName, p.Port, p.Kind ?? "Gateway")))
        {
            foreach (var gateway in tenant.Gateways)
            {
                var isMeant =
                    parent.Kind is null or "Gateway"
                    && gateway.Name == parent.Name
                    && gateway.Namespace == (parent.Namespace ?? route.Metadata.NamespaceProperty);
                if (!isMeant || gateway.Spec!.GatewayClassName is not ("kubelb" or "ours"))
                {
                    continue;
                }

                string? reason = "NoMatchingParent";
                var attached = new List<Listener>();
                foreach (var listener in gateway.Spec.Listeners!)
                {
                    if (
                        (parent.SectionName is not null && parent.SectionName != listener.Name)
                        || (parent.Port is not null && parent.Port != listener.Port)
                    )
                    {
                        continue;
                    }

                    reason = reason == "NoMatchingParent" ? "NotAllowedByListeners" : reason;
                    if (
                        !TakesKind(listener, route.Kind)
                        || !TakesNamespace(listener, gateway.Namespace, route.Metadata.NamespaceProperty, tenant.Namespaces)
                    )
                    {
                        continue;
                    }

                    reason = reason == "NotAllowedByListeners" ? "NoMatchingListenerHostname" : reason;
                    if (SharesAName(listener.Hostname, route.Hostnames))
                    {
                        reason = null;
                        attached.Add(listener);
                    }
                }

                yield return (gateway, parent, reason, attached);
            }
        }
    }

    private static bool TakesKind(Listener listener, string kind)
    {
        if (listener.Protocol is "TCP" or "TLS")
        {
            return false;
        }

        var kinds = listener.AllowedRoutes?.Kinds?.Where(k => k.Group != "example.com").Select(k => k.Kind).ToList();
        return kinds is null || kinds.Contains(kind);
    }

    private static bool TakesNamespace(
        Listener listener,
        string gateway,
        string route,
        Dictionary<string, Dictionary<string, string>> labels
    )
    {
        var namespaces = listener.AllowedRoutes?.Namespaces;
        var taken =
            namespaces is null || namespaces.From == "Same" ? [gateway]
            : namespaces.From == "All" ? Namespaces
            : namespaces.From == "None" || namespaces.Selector is null ? []
            : Namespaces.Where(ns => Selects(namespaces.Selector, labels[ns])).ToArray();
        return taken.Contains(route);
    }

    private static bool Selects(V1LabelSelector selector, Dictionary<string, string> labels)
    {
        var violated = (selector.MatchLabels ?? new Dictionary<string, string>()).Count(wanted => !labels.Contains(wanted));
        foreach (var requirement in selector.MatchExpressions ?? [])
        {
            var value = labels.GetValueOrDefault(requirement.Key, "(absent)");
            var holds = requirement.OperatorProperty switch
            {
                "In" => requirement.Values.Any(v => v == value),
                "NotIn" => requirement.Values.All(v => v != value),
                "Exists" => value != "(absent)",
                _ => value == "(absent)",
            };
            violated += holds ? 0 : 1;
        }

        return violated == 0;
    }

    private static bool SharesAName(string? listener, IReadOnlyList<string> route) =>
        Universe.Any(name =>
            (listener is null || Matches(listener, name)) && (route.Count == 0 || route.Any(hostname => Matches(hostname, name)))
        );

    private static bool Matches(string pattern, string name)
    {
        var wanted = pattern.Split('.');
        var labels = name.Split('.');
        return wanted[0] == "*"
            ? labels.Length >= wanted.Length && labels.TakeLast(wanted.Length - 1).SequenceEqual(wanted.Skip(1))
            : labels.SequenceEqual(wanted);
    }

    private static IEnumerable<string> ListenersOf(ParentAttachment verdict) =>
        verdict
            .Gateway.Spec!.Listeners!.Where(l =>
                verdict.AttachedRefs.Any(p => (p.SectionName ?? l.Name) == l.Name && (p.Port ?? l.Port) == l.Port)
            )
            .Select(l => l.Name);

    private static string Describe(Gateway gateway, ParentReference parent, string? reason, IEnumerable<string> listeners) =>
        $"{gateway.Namespace}/{gateway.Name} by {parent.Namespace}/{parent.Name} {parent.SectionName}:{parent.Port}: "
        + $"{reason ?? "attached"} {string.Join(',', listeners)}";

    private static Listener Named(Listener listener, string name)
    {
        // Samples share the generated object only within one Gateway.
        listener.Name = name;
        return listener;
    }

    private static GatewayClass Class(string name, string controller) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new GatewayClassSpec { ControllerName = controller },
        };

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static IEnumerable<string> Names(int labels) =>
        labels == 1 ? HostLabels : HostLabels.SelectMany(first => Names(labels - 1).Select(rest => $"{first}.{rest}"));
}
