using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Cli.Tests;

/// <summary>What a trace says about objects that it cannot read.</summary>
public class PathTracerTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Endpoints_that_cannot_be_read_are_neither_ready_nor_missing()
    {
        var tenant = Objects();
        tenant.Forbidden.Add(typeof(V1EndpointSlice));
        var backend = Trace(tenant).Hops.Single(h => h.Title == "Backends");
        backend.State.Should().Be(HopState.Unseen);
        backend.WithParts().Select(h => h.Message).Should().Contain("no permission to list V1EndpointSlice");
    }

    [Fact]
    public void Class_that_cannot_be_read_is_not_that_of_another_controller()
    {
        var tenant = Objects();
        tenant.Get<Gateway>("default", "web").Value!.Spec!.GatewayClassName = "own";
        tenant.Forbidden.Add(typeof(GatewayClass));
        var trace = Trace(tenant);
        trace.Hops.Single(h => h.Title == "Gateways").State.Should().Be(HopState.Unseen);
        trace.Unseen.Should().Contain("no permission to get GatewayClass");
    }

    [Fact]
    public void Rejection_that_the_CCM_has_reported_is_known_also_without_permission_to_read_what_it_is_about()
    {
        var tenant = Objects();
        var route = tenant.Get<HttpRoute>("default", "api").Value!;
        route.Spec!.ParentRefs![0].SectionName = "missing";
        route.Status!.Parents[0].ParentRef.SectionName = "missing";
        route.Status.Parents[0].Conditions =
        [
            new Condition
            {
                Type = "Accepted",
                Status = "False",
                Reason = "NoMatchingParent",
            },
        ];
        tenant.Forbidden.Add(typeof(V1Namespace));
        Trace(tenant).Break!.Reason.Should().Be("NoMatchingParent");
    }

    [Fact]
    public void Parent_of_another_controller_is_no_problem_beside_one_of_KubeLB()
    {
        var tenant = Objects();
        var route = tenant.Get<HttpRoute>("default", "api").Value!;
        route.Spec!.ParentRefs!.Add(new ParentReference { Name = "other" });
        tenant.Add(
            new Gateway
            {
                Metadata = new V1ObjectMeta { Name = "other", NamespaceProperty = "default" },
                Spec = new GatewaySpec { GatewayClassName = "other", Listeners = [] },
            }
        );
        tenant.Add(
            new GatewayClass
            {
                Metadata = new V1ObjectMeta { Name = "other" },
                Spec = new GatewayClassSpec { ControllerName = "example.com/other" },
            }
        );
        var gateways = Trace(tenant).Hops.Single(h => h.Title == "Gateways");
        gateways.Parts.Select(p => p.State).Should().Equal(HopState.Ok, HopState.Warning);
    }

    [Fact]
    public void Objects_of_several_tenants_need_the_name_of_one()
    {
        var management = new FakeObjects(Copy("tenant-a", "uid-a"), Copy("tenant-b", "uid-b"));
        var tracer = new PathTracer(new NoObjects("no kubeconfig"), management, new TraceSettings(), Now);
        var trace = () => tracer.Trace(new TraceTarget("HTTPRoute", "default", "api"));
        trace.Should().Throw<InspectionException>().WithMessage("*2 tenants (a, b). Add --tenant.");
    }

    [Theory]
    [InlineData("--enable-gateway-api", 1, null)]
    [InlineData("", 1, "Gateway API is not enabled, so no Gateway and no route is served. Start the CCM with --enable-gateway-api.")]
    [InlineData(
        "--enable-gateway-api --disable-httproute-controller",
        1,
        "The CCM runs with --disable-httproute-controller, so it serves no HTTPRoute. Remove the flag."
    )]
    public void Flags_of_the_CCM_that_keep_it_from_serving_the_route_are_named(string flags, int ready, string? problem)
    {
        var tenant = Objects();
        tenant.Add(FakeObjects.Ccm(flags, ready));
        var trace = Trace(tenant);
        trace.Break?.Message.Should().Be(problem);
        trace.Assumption.Should().BeNull();
        trace.Hops[0].Title.Should().Be("CCM");
    }

    [Fact]
    public void CCM_without_a_ready_pod_is_a_warning_until_a_report_is_missing()
    {
        var tenant = Objects();
        tenant.Add(FakeObjects.Ccm("--enable-gateway-api", ready: 0));
        const string Hint = "No pod of its Deployment lb/ccm is ready: run kubectl -n lb logs deployment/ccm.";
        var served = Trace(tenant);
        (served.Break, served.Warning?.Message).Should().Be((null, "Changes are not applied. " + Hint));

        tenant.Get<HttpRoute>("default", "api").Value!.Status = null;
        Trace(tenant).Break!.Message.Should().Be("The CCM has not reported on the route. " + Hint);
    }

    [Fact]
    public void Backend_of_another_namespace_needs_a_grant_if_the_CCM_enforces_it()
    {
        var tenant = Objects();
        tenant.Get<V1Service>("default", "api").Value!.Metadata.NamespaceProperty = "shop";
        tenant.Get<HttpRoute>("default", "api").Value!.Spec!.Rules![0].BackendRefs![0].Namespace = "shop";
        Trace(tenant).Break?.Reason.Should().NotBe("RefNotPermitted");

        tenant.Add(FakeObjects.Ccm("--enable-gateway-api --enforce-reference-grants", ready: 1));
        var trace = Trace(tenant);
        trace.Break!.Reason.Should().Be("RefNotPermitted");
        trace.Hops[0].Detail.Should().Be("1 of 1 ready; --enforce-reference-grants");
    }

    [Fact]
    public void Default_flags_that_are_assumed_are_named()
    {
        var tenant = Objects();
        Trace(tenant).Assumption.Should().Contain("no Deployment with label app.kubernetes.io/name=kubelb-ccm");
        tenant.Forbidden.Add(typeof(V1Deployment));
        Trace(tenant).Assumption.Should().Be("The default flags of the CCM are assumed: no permission to list V1Deployment.");
    }

    private static KubeLB.Api.V1Alpha1.Route Copy(string @namespace, string uid) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = uid,
                NamespaceProperty = @namespace,
                Labels = new Dictionary<string, string>
                {
                    [Labels.OriginNamespace] = "default",
                    [Labels.OriginName] = "api",
                    [Labels.OriginResourceKind] = "HTTPRoute.gateway.networking.k8s.io",
                },
            },
        };

    private static Trace Trace(FakeObjects tenant) =>
        new PathTracer(tenant, new NoObjects("no kubeconfig of the management cluster"), new TraceSettings(), Now)
            .Trace(new TraceTarget("HTTPRoute", "default", "api"))
            .Single();

    private static FakeObjects Objects() =>
        new(
            new V1Namespace { Metadata = new V1ObjectMeta { Name = "default" } },
            new GatewayClass
            {
                Metadata = new V1ObjectMeta { Name = "kubelb" },
                Spec = new GatewayClassSpec { ControllerName = GatewayClass.KubelbController },
            },
            new Gateway
            {
                Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "default" },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "kubelb",
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Protocol = "HTTP",
                            Port = 80,
                        },
                    ],
                },
                Status = new GatewayStatus { Conditions = [Condition("Accepted"), Condition("Programmed")] },
            },
            new V1Service
            {
                Metadata = new V1ObjectMeta { Name = "api", NamespaceProperty = "default" },
                Spec = new V1ServiceSpec
                {
                    Type = "NodePort",
                    Selector = new Dictionary<string, string> { ["app"] = "api" },
                    Ports = [new V1ServicePort { Port = 80, NodePort = 30080 }],
                },
            },
            new HttpRoute
            {
                Metadata = new V1ObjectMeta { Name = "api", NamespaceProperty = "default" },
                Spec = new HttpRouteSpec
                {
                    ParentRefs = [new ParentReference { Name = "web" }],
                    Rules = [new HttpRouteRule { BackendRefs = [new RouteBackendRef { Name = "api", Port = 80 }] }],
                },
                Status = new RouteParentsStatus
                {
                    Parents =
                    [
                        new RouteParentStatus
                        {
                            ParentRef = new ParentReference { Name = "web" },
                            ControllerName = GatewayClass.KubelbController,
                            Conditions = [Condition("Accepted"), Condition("ResolvedRefs")],
                        },
                    ],
                },
            }
        );

    private static Condition Condition(string type) => new() { Type = type, Status = "True" };
}
