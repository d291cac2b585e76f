using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Events;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Backends;

public sealed class BackendResolutionTests
{
    private static readonly TenantSettings Settings = new("tenant-t");

    [Theory]
    [InlineData("80/TCP 443/TCP", "80/TCP 443/TCP", true)]
    [InlineData("80/TCP 443/TCP", "80/TCP", true)]
    [InlineData("80/TCP 443/TCP", "443/TCP", false)]
    [InlineData("80/TCP", "80/TCP 443/TCP", true)]
    [InlineData("80/TCP 80/UDP", "80/TCP 443/UDP", true)]
    [InlineData("80/TCP 80/UDP", "80/UDP", false)]
    [InlineData("80/TCP", "80/", true)]
    public void Service_is_pending_until_its_node_port_Service_has_the_port_of_the_route(string ports, string nodePorts, bool isReady)
    {
        var tenant = Tenant(Service("web", "ClusterIP", ports), NodePortServiceOf("web", nodePorts));

        var resolution = BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web", Port = 80 }), tenant, Settings);

        resolution.Rejection.Should().BeNull();
        resolution.Services.Select(s => s.Name).Should().Equal(isReady ? ["web-nodeport"] : []);
        resolution.PendingServices.Should().Equal(isReady ? [] : ["apps/web"]);
    }

    [Theory]
    [InlineData(80, "web", "80")]
    [InlineData(81, "web-nodeport", "80 81")]
    public void LoadBalancer_with_some_node_ports_is_served_by_itself_or_by_its_node_port_Service(int port, string service, string ports)
    {
        var web = Service("web", "LoadBalancer", "80/TCP 81/TCP");
        web.Spec.AllocateLoadBalancerNodePorts = false;
        web.Spec.Ports[1].NodePort = null;
        var tenant = Tenant(web, NodePortServiceOf("web", "80/TCP 81/TCP"));

        var resolution = BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web", Port = port }), tenant, Settings);

        resolution.PendingServices.Should().BeEmpty();
        resolution.Rejection.Should().BeNull();
        var found = resolution.Services.Should().ContainSingle().Subject;
        found.Name.Should().Be(service);
        string.Join(' ', found.Spec!.Ports!.Select(p => p.Port)).Should().Be(ports, "a port without a node port is not part of a Route");
    }

    [Fact]
    public void Error_of_the_node_port_Service_about_another_port_is_not_reported()
    {
        var tenant = Tenant(Service("web", "ClusterIP", "80/TCP 81/TCP"), NodePortServiceOf("web", "80/TCP"));
        tenant.NodePortServiceErrors[("apps", "web")] = "exceeded quota: services.nodeports";

        BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web", Port = 80 }), tenant, Settings).Rejection.Should().BeNull();
        BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web", Port = 81 }), tenant, Settings).Rejection.Should().NotBeNull();
    }

    [Theory]
    [InlineData("443/TCP", "web-nodeport")]
    [InlineData(null, null)]
    public void Service_whose_node_port_Service_is_rejected_is_reported_and_does_not_hold_the_route_back(string? nodePorts, string? service)
    {
        var tenant = nodePorts is null
            ? Tenant(Service("web", "ClusterIP", "80/TCP"), Service("other", "NodePort", "80/TCP"))
            : Tenant(Service("web", "ClusterIP", "80/TCP"), Service("other", "NodePort", "80/TCP"), NodePortServiceOf("web", nodePorts));
        tenant.NodePortServiceErrors[("apps", "web")] = "exceeded quota: services.nodeports\nby 1";
        var route = Route(new RouteBackendRef { Name = "web", Port = 80 }, new RouteBackendRef { Name = "other", Port = 80 });

        var resolution = BackendResolution.Resolve(route, tenant, Settings);

        resolution.PendingServices.Should().BeEmpty();
        resolution.Services.Select(s => s.Name).Should().BeEquivalentTo(service is null ? ["other"] : new[] { "other", service });
        resolution.Rejection!.Reason.Should().Be(GatewayConditions.NodePortServiceRejected);
        resolution
            .Rejection.Message.Should()
            .Be(
                "Failed to process route rule 0 backendRef 0: the node-port Service of service apps/web cannot be written; "
                    + "correct the Service, or use type NodePort: exceeded quota: services.nodeports\\nby 1"
            );
    }

    [Fact]
    public void Error_of_the_API_server_is_cut()
    {
        var tenant = Tenant(Service("web", "ClusterIP", "80/TCP"));
        tenant.NodePortServiceErrors[("apps", "web")] = new string('x', 300_000);

        var resolution = BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web", Port = 80 }), tenant, Settings);

        resolution
            .Rejection!.Message.Should()
            .HaveLength(1024 + "Failed to process route rule 0 backendRef 0: ".Length + 104)
            .And.EndWith("…");
    }

    /// <summary>The Service's ports, the backendRef, and the message after the location.</summary>
    [Theory]
    [InlineData("80/TCP 53/UDP", "apps", "web", 81, "TCP Port 81 not found on Service apps/web (ports: 80, 53/UDP). @Port")]
    [InlineData(
        "1/TCP 2/TCP 3/TCP 4/TCP 5/TCP 6/TCP 7/TCP",
        "apps",
        "web",
        81,
        "TCP Port 81 not found on Service apps/web (ports: 1, 2, 3, 4, 5 and 2 more). @Port"
    )]
    [InlineData("80/TCP", "apps", "web", null, "the backendRef to Service apps/web (ports: 80) has no port. @Port")]
    [InlineData("80/TCP", "apps", "wbe", 80, "service apps/wbe not found. @Service")]
    [InlineData("80/TCP", "nope", "web", 80, "service nope/web not found: namespace nope does not exist. @Service")]
    public void Invalid_backendRef_reports_what_exists_and_one_remedy(string ports, string ns, string name, int? port, string message)
    {
        var tenant = Tenant(Service("web", "ClusterIP", ports));
        tenant.Namespaces["apps"] = [];
        var backend = new RouteBackendRef
        {
            Name = name,
            Namespace = ns,
            Port = port,
        };

        var rejection = BackendResolution.Resolve(Route(backend), tenant, Settings).Rejection!;

        var expected = message
            .Replace("@Port", "Set the port of the backendRef to a port of the Service.", StringComparison.Ordinal)
            .Replace("@Service", "Create the Service, or correct name and namespace of the backendRef.", StringComparison.Ordinal);
        rejection.Message.Should().Be($"Failed to process route rule 0 backendRef 0: {expected}");
        StatusEvent.Warning(rejection.Reason, rejection.Message).Message.Should().Be(rejection.Message, "the remedy is in it once");
    }

    [Fact]
    public void Each_of_several_invalid_backendRefs_has_its_own_remedy()
    {
        var tenant = Tenant(Service("web", "ClusterIP", "80/TCP"));
        tenant.Namespaces["apps"] = [];
        var route = Route(new RouteBackendRef { Name = "wbe", Port = 80 }, new RouteBackendRef { Name = "web", Port = 81 });

        var rejection = BackendResolution.Resolve(route, tenant, Settings).Rejection!;

        StatusEvent
            .Warning(rejection.Reason, rejection.Message)
            .Message.Split('\n')
            .Select(line => line.Split(". ")[1])
            .Should()
            .Equal(
                "Create the Service, or correct name and namespace of the backendRef.",
                "Set the port of the backendRef to a port of the Service."
            );
    }

    [Fact]
    public void Node_port_Service_as_a_backend_is_its_own_origin()
    {
        var tenant = Tenant(NodePortServiceOf("web", "80/TCP"));

        var resolution = BackendResolution.Resolve(Route(new RouteBackendRef { Name = "web-nodeport", Port = 80 }), tenant, Settings);

        var service = resolution.Services.Should().ContainSingle().Subject;
        SourceServices.OriginOf(service).Should().Be(("apps", "web-nodeport"));
        service.Metadata.Labels.Keys.Should().Equal(Labels.ManagedBy);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("", "Service", true)]
    [InlineData("", "Pod", false)]
    [InlineData(null, "Backend", false)]
    [InlineData("multicluster.x-k8s.io", "Service", false)]
    [InlineData("multicluster.x-k8s.io", "ServiceImport", false)]
    public void Backend_of_another_kind_is_rejected(string? group, string? kind, bool isService)
    {
        var route = Route(
            new RouteBackendRef
            {
                Name = "web",
                Group = group,
                Kind = kind,
                Port = 80,
            }
        );
        var tenant = Tenant(Service("web", "NodePort", "80/TCP"));

        var resolution = BackendResolution.Resolve(route, tenant, Settings);

        resolution.Services.Should().HaveCount(isService ? 1 : 0);
        resolution.Rejection?.Reason.Should().Be(isService ? null : GatewayConditions.InvalidKind);
        BackendReferences.ServicesOf(route).Should().HaveCount(isService ? 1 : 0);
    }

    [Fact]
    public void ServicesOf_returns_backends_and_mirrors_of_all_namespaces_once() =>
        BackendReferences
            .ServicesOf(
                Route(
                    [Mirror("RequestMirror", "audit", "infra"), Mirror("RequestMirror", "web", null), Mirror("Other", "ignored", null)],
                    new RouteBackendRef { Name = "web" },
                    new RouteBackendRef { Name = "web", Namespace = "shop" },
                    new RouteBackendRef { Name = "api", Filters = [Mirror("RequestMirror", "audit", "apps")] }
                )
            )
            .Should()
            .Equal(("infra", "audit"), ("apps", "web"), ("shop", "web"), ("apps", "api"), ("apps", "audit"));

    internal static TenantStub Tenant(params V1Service[] services) =>
        new() { Services = (@namespace, name) => Array.Find(services, s => s.Namespace() == @namespace && s.Name() == name) };

    /// <summary>A Service of namespace <c>apps</c>. All ports of types other than ClusterIP have node ports.</summary>
    internal static V1Service Service(string name, string type, string ports) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = "apps",
                Uid = $"uid-{name}",
            },
            Spec = new V1ServiceSpec
            {
                Type = type,
                Ports =
                [
                    .. ports
                        .Split(' ')
                        .Select(p => p.Split('/'))
                        .Select(
                            (p, i) =>
                                new V1ServicePort
                                {
                                    Name = $"p{i}",
                                    Port = int.Parse(p[0]),
                                    Protocol = p[1].Length == 0 ? null : p[1],
                                    NodePort = type == "ClusterIP" ? null : 30_000 + i,
                                }
                        ),
                ],
            },
        };

    internal static V1Service NodePortServiceOf(string name, string ports, string? ownName = null)
    {
        var service = Service(ownName ?? $"{name}-nodeport", "NodePort", ports);
        service.Metadata.Labels = new Dictionary<string, string>
        {
            [Labels.ManagedBy] = Labels.ManagedByKubelb,
            [Labels.OriginName] = name,
            [Labels.OriginNamespace] = "apps",
        };
        return service;
    }

    private static HttpRoute Route(params RouteBackendRef[] backends) => Route([], backends);

    private static HttpRoute Route(List<RouteFilter> filters, params RouteBackendRef[] backends) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "r", NamespaceProperty = "apps" },
            Spec = new HttpRouteSpec { Rules = [new HttpRouteRule { Filters = filters, BackendRefs = [.. backends] }] },
        };

    private static RouteFilter Mirror(string type, string name, string? @namespace) =>
        new()
        {
            Type = type,
            RequestMirror = new RequestMirrorFilter
            {
                BackendRef = new BackendObjectReference { Name = name, Namespace = @namespace },
            },
        };
}
