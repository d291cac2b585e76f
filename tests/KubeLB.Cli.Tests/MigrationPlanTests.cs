using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Migration;

namespace KubeLB.Cli.Tests;

public class MigrationPlanTests
{
    private const string Valid = """
        {"parentRefs":[{"name":"web"}],"hostnames":["a.example.com"],
        "rules":[{"backendRefs":[{"name":"api","port":80}]}]}
        """;

    [Fact]
    public void Layer_4_and_Ingress_block_a_migration()
    {
        var plan = Plan(
            new LoadBalancer
            {
                Metadata = new V1ObjectMeta { Name = "lb", NamespaceProperty = "tenant-t1" },
            },
            Route("Ingress", "shop", "{}", "networking.k8s.io/v1")
        );
        plan.Findings.Select(f => $"{f.Impact} {f.Subject}")
            .Should()
            .Equal("Blocks Ingress default/shop of tenant t1", "Blocks LoadBalancer tenant-t1/lb");
    }

    [Fact]
    public void Served_route_changes_nothing()
    {
        var plan = Plan(
            Route("Gateway", "web", """{"gatewayClassName":"kubelb","listeners":[{"name":"http","protocol":"HTTP","port":80}]}"""),
            Route("HTTPRoute", "api", Valid)
        );
        plan.Findings.Should().BeEmpty();
        plan.Routes.Should().Be(2);
    }

    [Theory]
    [InlineData(
        "Gateway",
        """{"gatewayClassName":"kubelb","infrastructure":{"labels":{"a":"b"}},"listeners":[{"name":"http","protocol":"HTTP","port":80}]}""",
        "infrastructure"
    )]
    [InlineData(
        "HTTPRoute",
        """{"rules":[{"filters":[{"type":"ExtensionRef","extensionRef":{"group":"example.com","kind":"Filter","name":"x"}}]}]}""",
        "extensionRef is not supported"
    )]
    public void What_is_rejected_or_ignored_is_named_in_the_words_of_the_manager(string kind, string spec, string expected)
    {
        var finding = Plan(Route(kind, "web", spec)).Findings.Should().ContainSingle().Subject;
        finding.Impact.Should().Be(MigrationImpact.Changes);
        finding.Message.Should().Contain(expected);
    }

    [Fact]
    public void Invalid_settings_and_Routes_without_a_Tenant_are_named()
    {
        var objects = Objects(Route("HTTPRoute", "api", Valid, @namespace: "tenant-other"));
        objects.Add(
            new Config
            {
                Metadata = new V1ObjectMeta { Name = "default", NamespaceProperty = "kubelb" },
                Spec = new ConfigSpec { GatewayAPI = new GatewayApiSettings { Class = "Not a name" } },
            }
        );
        MigrationPlan.Read(objects, "kubelb").Findings.Select(f => f.Subject).Should().Equal("Config", "Namespace tenant-other");
    }

    [Fact]
    public void Plan_without_permission_is_no_plan()
    {
        var objects = Objects();
        objects.Forbidden.Add(typeof(Route));
        ((Action)(() => MigrationPlan.Read(objects, "kubelb"))).Should().Throw<InspectionException>().WithMessage("*no permission*");
    }

    private static MigrationPlan Plan(params k8s.IKubernetesObject<V1ObjectMeta>[] objects) =>
        MigrationPlan.Read(Objects(objects), "kubelb");

    private static FakeObjects Objects(params k8s.IKubernetesObject<V1ObjectMeta>[] objects) =>
        new([new Tenant { Metadata = new V1ObjectMeta { Name = "t1" } }, .. objects]);

    private static Route Route(
        string kind,
        string name,
        string spec,
        string apiVersion = "gateway.networking.k8s.io/v1",
        string @namespace = "tenant-t1"
    ) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "uid-" + name, NamespaceProperty = @namespace },
            Spec = RouteSpecJson.Of(
                new RouteSpec
                {
                    Source = new RouteSource
                    {
                        Kubernetes = new KubernetesSource
                        {
                            Resource = new JsonObject
                            {
                                ["apiVersion"] = apiVersion,
                                ["kind"] = kind,
                                ["metadata"] = new JsonObject
                                {
                                    ["name"] = name,
                                    ["namespace"] = "default",
                                    ["uid"] = "uid-" + name,
                                },
                                ["spec"] = JsonNode.Parse(spec),
                            },
                        },
                    },
                }
            ),
        };
}
