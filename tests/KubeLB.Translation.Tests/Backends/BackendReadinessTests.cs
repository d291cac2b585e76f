using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Attachment;
using static KubeLB.Translation.Tests.Backends.BackendResolutionTests;

namespace KubeLB.Translation.Tests.Backends;

public sealed class BackendReadinessTests
{
    private const string Kubernetes = MirroredEndpointSlices.ManagedByKubernetes;
    private const string Prefix = "Service apps/web has no ready endpoints; requests to it return 503. ";
    private const string NoPod = Prefix + "No running pod matches its selector app=web: start pods or correct the selector.";
    private const string NoReadyPod = Prefix + "Its pods exist, but none is ready: check their containers and readiness probes.";

    /// <summary>
    /// The Service's selector; its EndpointSlices, each with readiness of the endpoints (r, u, ? for unknown), ports and controller; the
    /// message.
    /// </summary>
    public static TheoryData<string?, string[], string?> Services =>
        new()
        {
            { "web", [], null },
            { "web", ["r p0"], null },
            { "web", ["? p0"], null },
            { "web", ["ur p0"], null },
            { "web", ["u p0", "r p0"], null },
            { "web", [" p0"], NoPod },
            { "web", [" "], NoPod },
            { "web", ["uu p0"], NoReadyPod },
            { "web", [" p0", "u p0"], NoReadyPod },
            {
                "web",
                ["r other", "u p0"],
                "Port 80 of Service apps/web has no ready endpoints; requests to it return 503. "
                    + "No ready pod has the port http: correct the targetPort."
            },
            { null, ["r p0 by-hand"], null },
            { null, [], Prefix + "It has no selector: create an EndpointSlice or add one." },
            { null, ["r p0"], Prefix + "It has no selector: create an EndpointSlice or add one." },
            { null, ["u p0 by-hand"], Prefix + "Its EndpointSlices have none: add a ready endpoint." },
            { null, ["r other by-hand"], Prefix + "Its EndpointSlices have no port named \"p0\": add it." },
        };

    [Theory]
    [MemberData(nameof(Services))]
    public void Service_without_ready_endpoint_is_reported_with_its_cause(string? app, string[] slices, string? expected)
    {
        var view = View(app, [.. slices.Select(Slice)]);

        var problem = BackendReadiness.Problem(Route(Backend("web", 80)), view, new TenantSettings("tenant-t"));

        problem?.Message.Should().Be(expected);
        problem?.Reason.Should().Be("NoReadyEndpoints");
        (problem is null).Should().Be(expected is null);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Reduced_EndpointSlices_have_the_same_result(string? app, string[] slices, string? expected)
    {
        var view = View(app, [.. slices.Select(Slice).Select(BackendReadiness.Reduce)]);

        BackendReadiness.Problem(Route(Backend("web", 80)), view, new TenantSettings("tenant-t"))?.Message.Should().Be(expected);
    }

    [Fact]
    public void Invalid_and_unused_backends_and_repetitions_are_ignored()
    {
        var view = View("web", [Slice(" p0")]);
        var unused = Backend("web", 80);
        unused.Weight = 0;
        var settings = new TenantSettings("tenant-t");

        BackendReadiness.Problem(Route(unused, Backend("web", 81), Backend("missing", 80)), view, settings).Should().BeNull();
        BackendReadiness.Problem(Route(Backend("web", 80), Backend("web", 80)), view, settings)!.Message.Should().Be(NoPod);
    }

    [Fact]
    public void Backend_without_ReferenceGrant_is_not_disclosed()
    {
        var view = View("web", [Slice(" p0")]);
        var route = Route(Backend("web", 80));
        route.Metadata.NamespaceProperty = "other";
        route.Spec!.Rules![0].BackendRefs![0].Namespace = "apps";

        BackendReadiness.Problem(route, view, new TenantSettings("tenant-t", EnforceReferenceGrants: true)).Should().BeNull();
        BackendReadiness.Problem(route, view, new TenantSettings("tenant-t"))!.Message.Should().Be(NoPod);
    }

    [Fact]
    public void Long_selector_is_truncated()
    {
        var view = View(new string('x', 300), [Slice(" p0")]);

        BackendReadiness
            .Problem(Route(Backend("web", 80)), view, new TenantSettings("tenant-t"))!
            .Message.Length.Should()
            .BeLessThanOrEqualTo(200);
    }

    [Fact]
    public void Reduced_EndpointSlice_has_one_endpoint_for_each_readiness()
    {
        var slice = Slice("rrruuu?? p0");
        slice.Metadata.Annotations = new Dictionary<string, string> { ["a"] = "b" };

        var reduced = BackendReadiness.Reduce(slice);

        reduced.Endpoints.Select(e => e.Conditions.Ready).Should().Equal(true, false);
        reduced.Ports.Should().BeSameAs(slice.Ports);
        reduced.Metadata.Annotations.Should().BeNull();
        reduced.Name().Should().Be(slice.Name());
        reduced.Metadata.Labels.Should().BeSameAs(slice.Metadata.Labels);
    }

    [Fact]
    public void EndpointSlice_that_may_be_mirrored_is_not_reduced()
    {
        var slice = Slice("rr p0 by-hand");

        BackendReadiness.Reduce(slice).Should().BeSameAs(slice);
    }

    [Theory]
    [InlineData("r p0", "rr p0", true)]
    [InlineData("ru p0", "ur p0", true)]
    [InlineData("r p0", "? p0", true)]
    [InlineData("r p0", "u p0", false)]
    [InlineData("r p0", " p0", false)]
    [InlineData("r p0", "r p1", false)]
    [InlineData("r p0", "r p0 by-hand", false)]
    public void Only_changes_of_the_readiness_count(string left, string right, bool expected) =>
        BackendReadiness.IsEquivalent(Slice(left), Slice(right)).Should().Be(expected);

    private static TenantStub View(string? app, IEnumerable<V1EndpointSlice> slices)
    {
        var service = Service("web", "NodePort", "80/TCP");
        service.Spec.Type = "ClusterIP";
        service.Spec.Selector = app is null ? null : new Dictionary<string, string> { ["app"] = app };
        service.Spec.Ports[0].TargetPort = "http";
        var view = new TenantStub { Services = (ns, name) => (ns, name) == ("apps", "web") ? service : null };
        view.Slices.AddRange(slices);
        return view;
    }

    private static V1EndpointSlice Slice(string text)
    {
        var parts = text.Split(' ');
        return new V1EndpointSlice
        {
            Metadata = new V1ObjectMeta
            {
                Name = "slice",
                NamespaceProperty = "apps",
                Labels = new Dictionary<string, string>
                {
                    [MirroredEndpointSlices.ServiceNameLabel] = "web",
                    [MirroredEndpointSlices.ManagedByLabel] = parts.Length > 2 ? parts[2] : Kubernetes,
                },
            },
            AddressType = "IPv4",
            Endpoints =
            [
                .. parts[0]
                    .Select(readiness => new V1Endpoint
                    {
                        Addresses = ["10.0.0.1"],
                        Conditions = readiness == '?' ? null : new V1EndpointConditions { Ready = readiness == 'r' },
                    }),
            ],
            Ports = parts[1].Length == 0 ? null : [new Discoveryv1EndpointPort { Name = parts[1], Port = 8080 }],
        };
    }

    private static RouteBackendRef Backend(string name, int port) => new() { Name = name, Port = port };

    private static HttpRoute Route(params RouteBackendRef[] backends) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "r", NamespaceProperty = "apps" },
            Spec = new HttpRouteSpec { Rules = [new HttpRouteRule { BackendRefs = [.. backends] }] },
        };
}
