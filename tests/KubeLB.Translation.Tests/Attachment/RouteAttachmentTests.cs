using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

public sealed class RouteAttachmentTests
{
    private static readonly TenantSettings Settings = new("tenant-t");

    private readonly TenantStub _tenant = new()
    {
        Namespaces =
        {
            ["infra"] = [],
            ["apps"] = new() { ["team"] = "a" },
        },
    };

    [Fact]
    public void Route_without_parents_has_no_results()
    {
        Evaluate(new HttpRoute { Metadata = In("apps"), Spec = new HttpRouteSpec() }).Should().BeEmpty();
        Evaluate(new HttpRoute { Metadata = In("apps") }).Should().BeEmpty();
    }

    [Fact]
    public void Route_attaches_to_the_Gateway_of_its_namespace()
    {
        var gateway = Gateway("apps", "gw", Listener("http", 80));
        var parent = new ParentReference { Name = "gw" };

        var verdict = Evaluate(Route(parent)).Should().ContainSingle().Subject;

        verdict.IsAttached.Should().BeTrue();
        verdict.Gateway.Should().BeSameAs(gateway);
        verdict.Ref.Should().BeSameAs(parent);
        verdict.AttachedRefs.Should().Equal(parent);
    }

    [Fact]
    public void GRPCRoute_attaches_like_an_HTTPRoute()
    {
        Gateway("apps", "gw", Listener("http", 80), Listener("kinds", 81, kind: "HTTPRoute"));
        var route = new GrpcRoute
        {
            Metadata = In("apps"),
            Spec = new GrpcRouteSpec { ParentRefs = [new ParentReference { Name = "gw" }] },
        };

        Evaluate(route).Should().ContainSingle().Which.AttachedRefs.Should().ContainSingle(p => p.SectionName == "http");
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("", null, true)]
    [InlineData("a", null, true)]
    [InlineData("a", 80, true)]
    [InlineData(null, 81, true)]
    [InlineData("a", 81, false)]
    [InlineData("c", null, false)]
    [InlineData("A", null, false)]
    [InlineData(null, 82, false)]
    public void SectionName_and_port_select_listeners(string? section, int? port, bool attaches)
    {
        Gateway("apps", "gw", Listener("a", 80), Listener("b", 81));

        var verdict = Evaluate(
                Route(
                    new ParentReference
                    {
                        Name = "gw",
                        SectionName = section,
                        Port = port,
                    }
                )
            )
            .Single();

        verdict.Rejection?.Reason.Should().Be("NoMatchingParent");
        verdict.IsAttached.Should().Be(attaches);
        verdict.AttachedRefs.Should().HaveCount(attaches ? 1 : 0);
    }

    [Theory]
    [InlineData("All", true)]
    [InlineData("Same", false)]
    [InlineData(null, false)]
    [InlineData("None", false)]
    [InlineData("Selector:a", true)]
    [InlineData("Selector:b", false)]
    public void Listener_restricts_namespaces_of_routes(string? from, bool attaches)
    {
        Gateway("infra", "gw", Listener("http", 80, from: from));

        var verdict = Evaluate(Route(new ParentReference { Name = "gw", Namespace = "infra" })).Single();

        verdict.IsAttached.Should().Be(attaches);
        verdict.Rejection?.Reason.Should().Be("NotAllowedByListeners");
    }

    [Fact]
    public void Unknown_namespace_attaches_only_with_from_All_or_Same()
    {
        _tenant.Namespaces.Clear();
        Gateway("infra", "gw", Listener("all", 80, from: "All"), Listener("selector", 81, from: "Selector:a"));

        Evaluate(Route(new ParentReference { Name = "gw", Namespace = "infra" }))
            .Single()
            .AttachedRefs.Should()
            .ContainSingle(p => p.SectionName == "all");
    }

    [Fact]
    public void Route_of_another_kind_is_not_allowed()
    {
        Gateway("apps", "gw", Listener("http", 80, kind: "GRPCRoute"));

        Evaluate(Route(new ParentReference { Name = "gw" })).Single().Rejection!.Reason.Should().Be("NotAllowedByListeners");
    }

    /// <summary>The listener's namespaces and kinds, and what the message says that the listener allows.</summary>
    [Theory]
    [InlineData(null, null, "http allows only namespace infra")]
    [InlineData("Same", "GRPCRoute", "http allows only GRPCRoutes and only namespace infra")]
    [InlineData("All", "GRPCRoute", "http allows only GRPCRoutes")]
    [InlineData("None", null, "http allows no namespace")]
    [InlineData("Selector:b", null, "http allows only namespaces with labels team=b")]
    public void Rejection_names_what_the_listener_allows(string? from, string? kind, string allowed)
    {
        Gateway("infra", "gw", Listener("http", 80, from: from, kind: kind));

        Evaluate(Route(new ParentReference { Name = "gw", Namespace = "infra" }))
            .Single()
            .Rejection!.Message.Should()
            .Be(
                $"No listener allows HTTPRoutes of namespace apps: {allowed}. "
                    + "Allow the route's namespace and kind in allowedRoutes of a listener, or attach to another Gateway."
            );
    }

    [Fact]
    public void Rejections_list_a_few_names_of_limited_length()
    {
        var hostname = $"{new string('a', 63)}.{new string('b', 63)}.example.com";
        Gateway("apps", "gw", [.. Enumerable.Range(0, 64).Select(i => Listener($"l{i}", 80 + i, hostname: $"{i}.{hostname}"))]);
        Gateway("infra", "gw", [.. Enumerable.Range(0, 64).Select(i => Listener($"{new string('l', 240)}{i}", 80 + i))]);
        var route = Route(new ParentReference { Name = "gw" }, new ParentReference { Name = "gw", Namespace = "infra" });
        route.Spec!.Hostnames = [.. Enumerable.Range(0, 16).Select(i => $"{i}.org")];

        var messages = Evaluate(route).Select(p => p.Rejection!.Message).ToList();

        messages[0].Should().Contain("(0.org, 1.org, 2.org and 13 more)").And.Contain("l0 has 0.aaa").And.Contain("… and 61 more. Give");
        messages[1].Should().Contain("… allows only namespace infra and 61 more. Allow");
        messages.Should().OnlyContain(m => m.Length < 700);
    }

    [Theory]
    [InlineData("*.example.com", "web.example.com", true)]
    [InlineData("*.example.com", "web.example.org", false)]
    [InlineData("*.example.com", null, true)]
    [InlineData(null, "web.example.org", true)]
    public void Route_without_common_hostname_is_rejected(string? listener, string? route, bool attaches)
    {
        Gateway("apps", "gw", Listener("http", 80, hostname: listener));
        var http = Route(new ParentReference { Name = "gw" });
        http.Spec!.Hostnames = route is null ? null : [route];

        var verdict = Evaluate(http).Single();

        verdict.IsAttached.Should().Be(attaches);
        verdict.Rejection?.Reason.Should().Be("NoMatchingListenerHostname");
        verdict
            .Rejection?.Message.Should()
            .Be(
                "No hostname of the HTTPRoute (web.example.org) matches a listener: http has *.example.com. "
                    + "Give the route a hostname that a listener of the Gateway serves."
            );
    }

    [Fact]
    public void ParentRef_is_limited_to_listeners_that_allow_the_route()
    {
        Gateway(
            "infra",
            "gw",
            Listener("all", 80, from: "All"),
            Listener("same", 81, from: "Same"),
            Listener("also", 82, from: "All", hostname: "*.example.com"),
            Listener("elsewhere", 83, from: "All", hostname: "*.example.org"),
            Listener("grpc", 84, from: "All", kind: "GRPCRoute")
        );
        var parent = new ParentReference
        {
            Group = "gateway.networking.k8s.io",
            Kind = "Gateway",
            Name = "gw",
            Namespace = "infra",
        };
        var before = ApiJson.ToJson(parent).ToJsonString();
        var route = Route(parent);
        route.Spec!.Hostnames = ["web.example.com"];

        var verdict = Evaluate(route).Single();

        verdict
            .AttachedRefs.Should()
            .BeEquivalentTo(
                [
                    new ParentReference
                    {
                        Group = parent.Group,
                        Kind = "Gateway",
                        Name = "gw",
                        Namespace = "infra",
                        SectionName = "all",
                    },
                    new ParentReference
                    {
                        Group = parent.Group,
                        Kind = "Gateway",
                        Name = "gw",
                        Namespace = "infra",
                        SectionName = "also",
                    },
                ],
                options => options.WithStrictOrdering()
            );
        ApiJson.ToJson(parent).ToJsonString().Should().Be(before);
    }

    [Fact]
    public void Limited_parentRef_keeps_its_port()
    {
        Gateway("apps", "gw", Listener("a", 80), Listener("b", 80, hostname: "example.org"), Listener("c", 81));
        var route = Route(new ParentReference { Name = "gw", Port = 80 });
        route.Spec!.Hostnames = ["example.com"];

        Evaluate(route)
            .Single()
            .AttachedRefs.Should()
            .ContainSingle()
            .Which.Should()
            .BeEquivalentTo(
                new
                {
                    Name = "gw",
                    Port = 80,
                    SectionName = "a",
                }
            );
    }

    [Fact]
    public void ParentRef_is_unchanged_by_listeners_that_it_does_not_name()
    {
        Gateway("apps", "gw", Listener("a", 80), Listener("none", 81, from: "None"));
        var parent = new ParentReference { Name = "gw", SectionName = "a" };

        Evaluate(Route(parent)).Single().AttachedRefs.Should().ContainSingle().Which.Should().BeSameAs(parent);
    }

    [Fact]
    public void Rejections_are_evaluated_by_parent_permission_and_hostname()
    {
        Gateway(
            "infra",
            "gw",
            Listener("closed", 80, from: "None", hostname: "example.org"),
            Listener("open", 81, from: "All", hostname: "example.org")
        );
        var route = Route(
            new ParentReference
            {
                Name = "gw",
                Namespace = "infra",
                SectionName = "absent",
            },
            new ParentReference
            {
                Name = "gw",
                Namespace = "infra",
                SectionName = "closed",
            },
            new ParentReference
            {
                Name = "gw",
                Namespace = "infra",
                SectionName = "open",
            },
            new ParentReference { Name = "gw", Namespace = "infra" }
        );
        route.Spec!.Hostnames = ["example.com"];

        var verdicts = Evaluate(route);

        verdicts
            .Select(v => v.Rejection!.Reason)
            .Should()
            .Equal("NoMatchingParent", "NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingListenerHostname");
        verdicts.Select(v => v.Rejection!.Message).Distinct().Should().HaveCount(3);
        verdicts.Should().OnlyContain(v => v.AttachedRefs.Count == 0 && !v.IsAttached);
    }

    [Fact]
    public void Gateway_without_listeners_reports_NoMatchingParent()
    {
        Gateway("apps", "gw");
        Gateway("apps", "bare").Spec!.Listeners = null;

        Evaluate(Route(new ParentReference { Name = "gw" }, new ParentReference { Name = "bare" }))
            .Should()
            .HaveCount(2)
            .And.OnlyContain(v => v.Rejection!.Reason == "NoMatchingParent");
    }

    [Fact]
    public void Parent_that_is_not_owned_has_no_result()
    {
        Gateway("apps", "gw", Listener("http", 80));
        Gateway("apps", "foreign", Listener("http", 80)).Spec!.GatewayClassName = "other";

        Evaluate(
                Route(
                    new ParentReference { Name = "foreign" },
                    new ParentReference { Name = "absent" },
                    new ParentReference { Name = "gw", Namespace = "nowhere" },
                    new ParentReference
                    {
                        Name = "gw",
                        Kind = "Service",
                        Group = "",
                    },
                    new ParentReference { Name = "gw", Kind = "Service" },
                    new ParentReference { Name = "gw", Group = "" },
                    new ParentReference { Name = "gw", Group = "example.com" }
                )
            )
            .Should()
            .BeEmpty();
    }

    [Fact]
    public void Results_are_in_the_order_of_the_spec()
    {
        Gateway("apps", "one", Listener("http", 80));
        Gateway("apps", "two", Listener("http", 80));

        Evaluate(Route(new ParentReference { Name = "two" }, new ParentReference { Name = "absent" }, new ParentReference { Name = "one" }))
            .Select(v => v.Gateway.Name)
            .Should()
            .Equal("two", "one");
    }

    [Theory]
    [InlineData("kubelb", null, true, true)]
    [InlineData("other", null, true, false)]
    [InlineData("other", "kubelb.k8c.io/gateway-controller", true, true)]
    [InlineData("kubelb", "example.com/controller", true, true)]
    [InlineData("theirs", "example.com/controller", true, false)]
    [InlineData("other", "example.com/controller", false, true)]
    public void Parent_is_owned_by_the_class_of_its_Gateway(string className, string? controller, bool useGatewayClass, bool ours)
    {
        Gateway("apps", "gw", Listener("http", 80)).Spec!.GatewayClassName = className;
        if (controller is not null)
        {
            _tenant.Classes.Add(
                new GatewayClass
                {
                    Metadata = new V1ObjectMeta { Name = className },
                    Spec = new GatewayClassSpec { ControllerName = controller },
                }
            );
        }

        RouteAttachment
            .Evaluate(Route(new ParentReference { Name = "gw" }), _tenant, Settings with { UseGatewayClass = useGatewayClass })
            .Should()
            .HaveCount(ours ? 1 : 0);
    }

    [Fact]
    public void GatewaysOf_returns_each_Gateway_once() =>
        RouteAttachment
            .GatewaysOf(
                Route(
                    new ParentReference { Name = "gw", SectionName = "a" },
                    new ParentReference
                    {
                        Name = "gw",
                        Namespace = "apps",
                        SectionName = "b",
                    },
                    new ParentReference { Name = "gw", Namespace = "infra" },
                    new ParentReference
                    {
                        Name = "svc",
                        Group = "",
                        Kind = "Service",
                    }
                )
            )
            .Should()
            .Equal(("apps", "gw"), ("infra", "gw"));

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Rejection_of_a_Gateway_counts_until_it_has_a_Route(bool hasRoute, bool isRejected)
    {
        var gateway = Gateway("apps", "gw", Listener("http", 80));
        gateway.Status = GatewayStatusTranslator.Reject(gateway, new Rejection("ManagementClusterRejected", "no"), "2026-01-01T00:00:00Z");
        if (hasRoute)
        {
            _tenant.Routes.Add(SourceResource.Wrap(gateway, ApiJson.ToJson(gateway.Spec!), services: null, "tenant-t"));
        }

        var parent = Evaluate(Route(new ParentReference { Name = "gw" })).Single();

        parent.IsAttached.Should().BeTrue();
        parent.GatewayRejection.Should().Be(isRejected ? new Rejection("ManagementClusterRejected", "no") : null);
    }

    [Theory]
    [InlineData("""{"name":"gw"}""", true)]
    [InlineData("""{"name":"gw","group":"gateway.networking.k8s.io","kind":"Gateway"}""", true)]
    [InlineData("""{"name":"other"}""", false)]
    [InlineData("""{"name":"gw","namespace":"infra"}""", false)]
    [InlineData("""{"name":"gw","group":""}""", false)]
    [InlineData("""{"name":"gw","kind":"Service"}""", false)]
    [InlineData("""{"name":"gw","sectionName":"http"}""", false)]
    [InlineData("""{"name":"gw","port":80}""", false)]
    public void ParentRefs_are_the_same_if_all_fields_are_equal(string json, bool expected)
    {
        var (left, right) = (new ParentReference { Name = "gw" }, ApiJson.Read<ParentReference>(JsonNode.Parse(json)!));

        left.IsSameAs(right).Should().Be(expected);
        right.IsSameAs(left).Should().Be(expected);
        right.IsSameAs(ApiJson.Copy(right)).Should().BeTrue();
    }

    private IReadOnlyList<ParentAttachment> Evaluate(IGatewayRoute route) => RouteAttachment.Evaluate(route, _tenant, Settings);

    private Gateway Gateway(string @namespace, string name, params Listener[] listeners)
    {
        var gateway = new Gateway
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = @namespace },
            Spec = new GatewaySpec { GatewayClassName = "kubelb", Listeners = [.. listeners] },
        };
        _tenant.Gateways.Add(gateway);
        return gateway;
    }

    private static Listener Listener(string name, int port, string? from = null, string? hostname = null, string? kind = null) =>
        new()
        {
            Name = name,
            Port = port,
            Protocol = "HTTP",
            Hostname = hostname,
            AllowedRoutes = new AllowedRoutes
            {
                Kinds = kind is null ? null : [new RouteGroupKind { Kind = kind }],
                Namespaces = from?.Split(':') is [var selector, var team]
                    ? new RouteNamespaces
                    {
                        From = selector,
                        Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["team"] = team } },
                    }
                    : new RouteNamespaces { From = from },
            },
        };

    private static HttpRoute Route(params ParentReference[] parents) =>
        new()
        {
            Metadata = In("apps"),
            Spec = new HttpRouteSpec { ParentRefs = [.. parents] },
        };

    private static V1ObjectMeta In(string @namespace) => new() { Name = "web", NamespaceProperty = @namespace };
}
