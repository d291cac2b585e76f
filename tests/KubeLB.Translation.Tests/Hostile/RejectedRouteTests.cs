using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.Hostile;

/// <summary>
/// Routes with which a tenant could reach objects of others. Each is rejected with a message that says how to correct it.
/// </summary>
public sealed class RejectedRouteTests
{
    private const int AnHttpRoute = 1;

    [Theory]
    [InlineData("v1", "Service")]
    [InlineData("v1", "Secret")]
    [InlineData("v1", "Pod")]
    [InlineData("v1", "Namespace")]
    [InlineData("apps/v1", "Deployment")]
    [InlineData("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")]
    [InlineData("networking.k8s.io/v1", "Ingress")]
    [InlineData("gateway.networking.k8s.io/v1", "GatewayClass")]
    [InlineData("gateway.networking.k8s.io/v1", "BackendTLSPolicy")]
    [InlineData("gateway.networking.k8s.io/v1", "httproute")]
    [InlineData("gateway.networking.k8s.io/v1", "HTTPRouteList")]
    [InlineData("gateway.networking.k8s.io/v1alpha2", "TCPRoute")]
    [InlineData("gateway.networking.k8s.io/v1alpha2", "TLSRoute")]
    [InlineData("gateway.networking.k8s.io/v1alpha2", "UDPRoute")]
    [InlineData("gateway.networking.k8s.io/v1beta1", "ReferenceGrant")]
    [InlineData("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy")]
    [InlineData("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy")]
    [InlineData("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy")]
    [InlineData("kubelb.k8c.io/v1alpha1", "Tenant")]
    [Trait("Threat", "other-kind")]
    public void Unsupported_kind_is_rejected(string apiVersion, string kind) =>
        Problem(r => (r["apiVersion"], r["kind"]) = (apiVersion, kind))
            .Should()
            .Contain("is not supported; supported are Gateway, HTTPRoute, GRPCRoute");

    [Theory]
    [InlineData("gateway.networking.k8s.io/v1beta1")]
    [InlineData("gateway.networking.k8s.io/v1alpha2")]
    [InlineData("gateway.networking.k8s.io/v2")]
    [InlineData("gateway.networking.k8s.io")]
    [InlineData("gateway.networking.k8s.io/V1")]
    [InlineData("gateway.networking.k8s.io/v1/")]
    [InlineData("gateway.example.com/v1")]
    [InlineData("v1")]
    [Trait("Threat", "other-version")]
    public void Unsupported_group_or_version_is_rejected(string apiVersion) =>
        Problem(r => r["apiVersion"] = apiVersion).Should().Contain("is not supported");

    [Theory]
    [InlineData("")]
    [InlineData("../kube-system")]
    [InlineData("kube-system/x")]
    [InlineData("a.b")]
    [InlineData("A")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    [InlineData("\u0430")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [Trait("Threat", "names-outside-namespace")]
    public void Invalid_namespace_is_rejected(string @namespace) =>
        Problem(r => r["metadata"]!["namespace"] = @namespace).Should().Contain("is not a DNS-1123 label");

    [Theory]
    [InlineData("../web")]
    [InlineData("web/../../x")]
    [InlineData("Web")]
    [InlineData("web_1")]
    [InlineData(".web")]
    [InlineData("web.")]
    [InlineData("web..x")]
    [InlineData("web\n")]
    [InlineData("web%2f")]
    [Trait("Threat", "names-outside-namespace")]
    public void Invalid_DNS_name_is_rejected(string name) =>
        Problem(r => r["metadata"]!["name"] = name).Should().Contain("is not a DNS-1123 subdomain");

    [Fact]
    [Trait("Threat", "names-outside-namespace")]
    public void Name_of_more_than_253_characters_is_rejected() =>
        Problem(r => r["metadata"]!["name"] = new string('a', 254)).Should().Contain("is not a DNS-1123 subdomain");

    [Theory]
    [InlineData("kubelb")]
    [InlineData("kube-system")]
    [InlineData("default")]
    [InlineData("tenant-")]
    [Trait("Threat", "route-outside-namespace")]
    public void Route_outside_of_tenant_namespaces_is_rejected(string @namespace)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        json["metadata"]!["namespace"] = @namespace;

        Translate(json).Problem.Should().Contain("Routes are only allowed in a tenant namespace");
    }

    [Theory]
    [InlineData(80, 0)]
    [InlineData(80, -1)]
    [InlineData(80, 65536)]
    [InlineData(0, 30080)]
    [InlineData(65536, 30080)]
    [InlineData(-80, 30080)]
    [Trait("Threat", "ports")]
    public void Port_or_node_port_out_of_range_is_rejected(int port, int nodePort) =>
        ServiceProblem(p => (p["port"], p["nodePort"]) = (port, nodePort)).Should().Contain("both must be 1-65535");

    [Theory]
    [InlineData("NaN")]
    [InlineData(1.5)]
    [InlineData(true)]
    [InlineData(1e300)]
    public void Service_field_of_wrong_type_is_rejected_with_its_path(object nodePort) =>
        ServiceProblem(p => p["nodePort"] = JsonValue.Create(nodePort))
            .Should()
            .Contain("Invalid spec.source.kubernetes.services: spec.ports[0].nodePort must be a number.");

    [Theory]
    [InlineData("[5]")]
    [InlineData("[[]]")]
    [InlineData("5")]
    [InlineData("{}")]
    [InlineData("[{\"metadata\":{\"labels\":{\"a\":{}}}}]")]
    [InlineData("[{\"metadata\":{\"creationTimestamp\":\"yesterday\"}}]")]
    public void Entry_that_is_not_a_Service_is_rejected(string services)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        json["spec"]!["source"]!["kubernetes"]!["services"] = JsonNode.Parse(services);

        Translate(json).Problem.Should().Contain("spec.source.kubernetes.services");
    }

    [Theory]
    [InlineData(9001)]
    [InlineData(19001)]
    [InlineData(19003)]
    [Trait("Threat", "proxy-ports")]
    public void Node_port_that_Envoy_uses_is_rejected(int nodePort) =>
        ServiceProblem(p => p["nodePort"] = nodePort).Should().Contain($"nodePort {nodePort} is reserved for Envoy; use another node port");

    [Theory]
    [InlineData("SCTP")]
    [InlineData("ICMP")]
    [InlineData("tcp")]
    [InlineData("")]
    [Trait("Threat", "ports")]
    public void Protocol_other_than_TCP_and_UDP_is_rejected(string protocol) =>
        ServiceProblem(p => p["protocol"] = protocol).Should().Contain("is not supported; use TCP or UDP");

    [Theory]
    [InlineData(1, 30000)]
    [InlineData(65535, 32767)]
    public void Lowest_and_highest_port_are_accepted(int port, int nodePort)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var first = json["spec"]!["source"]!["kubernetes"]!["services"]![0]!["spec"]!["ports"]![0]!;
        (first["port"], first["nodePort"]) = (port, nodePort);

        Translate(json).Problem.Should().BeNull();
    }

    [Theory]
    [InlineData("name")]
    [InlineData("namespace")]
    public void Service_without_name_or_namespace_is_rejected(string field)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        json["spec"]!["source"]!["kubernetes"]!["services"]![1]!["metadata"]![field] = "";

        Rejection(json).Should().NotBeNull();
    }

    [Theory]
    [InlineData("""[{"type":"RequestRedirect"},{"type":"ExtensionRef"}]""")]
    [InlineData("""[{"type":"RequestRedirect"},{"type":"Other","extensionRef":{"name":"x"}}]""")]
    public void ExtensionRef_is_rejected_among_other_filters(string filters) =>
        Problem(r => r["spec"]!["rules"]![0]!["filters"] = JsonNode.Parse(filters))
            .Should()
            .MatchRegex("(extensionRef|\"ExtensionRef\") is not supported");

    [Fact]
    public void Services_whose_names_have_a_slash_are_rejected()
    {
        // Both would have the key a/b/c in the status.
        var json = HostileRoutes.Good(AnHttpRoute);
        var kubernetes = json["spec"]!["source"]!["kubernetes"]!;
        kubernetes["services"] = JsonNode.Parse(
            """
            [{ "metadata": { "namespace": "a/b", "name": "c" }, "spec": { "ports": [{ "port": 80, "nodePort": 30080 }] } },
             { "metadata": { "namespace": "a", "name": "b/c" }, "spec": { "ports": [{ "port": 80, "nodePort": 30081 }] } }]
            """
        );

        Translate(json).IsRejected.Should().BeTrue();
    }

    [Theory]
    [InlineData(AnHttpRoute, "services", "HTTPRoute has 2 Services", 1)]
    [InlineData(AnHttpRoute, "ports", "HTTPRoute has 2 ports of its Services", 1)]
    [InlineData(AnHttpRoute, "hostnames", "HTTPRoute has 1 hostnames", 0)]
    [InlineData(AnHttpRoute, "backends", "HTTPRoute has ", 0)]
    [InlineData(0, "listeners", "Gateway has ", 0)]
    public void Object_beyond_a_limit_of_its_parts_is_rejected(int kind, string field, string start, int limit)
    {
        var settings = ApiJson.Read<ConfigSpec>(new JsonObject { ["limits"] = new JsonObject { [field] = limit } });

        var translation = EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(HostileRoutes.Good(kind)),
            TenantPolicy.Merge(new Config { Spec = settings }, null),
            new ManagementStub(NameHolder.Free),
            _ => 10_000
        );

        translation.Reason.Should().Be(RouteConditions.LimitExceeded);
        translation.Problem.Should().StartWith($"The {start}").And.Contain($"limits.{field}");
    }

    [Fact]
    public void Services_of_a_Gateway_are_not_read()
    {
        var json = HostileRoutes.Good(0);
        json["spec"]!["source"]!["kubernetes"]!["services"] = 5;

        Translate(json).Problem.Should().BeNull();
    }

    [Fact]
    public void Route_waits_for_a_Gateway_of_another_namespace()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var spec = json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!;
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["metadata"]!["namespace"] = "apps";
        spec["parentRefs"] = JsonNode.Parse("""[{"name":"kubelb","namespace":"bench"},{"name":"new","namespace":"bench"}]""");

        Translate(json).WaitingFor.Should().Be("bench/new");
        spec = json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!;
        spec["parentRefs"] = JsonNode.Parse("""[{"name":"kubelb","namespace":"bench"},{"name":"new"}]""");
        Translate(json).WaitingFor.Should().BeNull();
    }

    [Theory]
    [InlineData("rules.0.filters")]
    [InlineData("rules.0.backendRefs.0.filters")]
    [Trait("Threat", "foreign-filters")]
    public void ExtensionRef_is_rejected_in_rules_and_backends(string place)
    {
        var problem = Problem(r =>
        {
            var path = place.Split('.');
            var node = path[..^1].Aggregate(r["spec"]!, (n, step) => int.TryParse(step, out var i) ? n[i]! : n[step]!);
            node[path[^1]] = JsonNode.Parse(
                """[{"type":"ExtensionRef","extensionRef":{"group":"gateway.envoyproxy.io","kind":"HTTPRouteFilter","name":"x"}}]"""
            );
        });

        problem.Should().Contain($"spec.{place.Replace(".0", "[0]", StringComparison.Ordinal)}[0].extensionRef is not supported");
    }

    [Fact]
    [Trait("Threat", "infrastructure")]
    public void Infrastructure_of_a_Gateway_is_not_generated()
    {
        var json = HostileRoutes.Good(0);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["infrastructure"] = JsonNode.Parse(
            """{"labels":{"a":"b"},"annotations":{"c":"d"}}"""
        );

        var translation = Translate(json);

        ApiJson.ToJson(translation.Generated!).ToJsonString().Should().NotContain("infrastructure");
        translation.IgnoredFields.Should().Contain("spec.infrastructure.labels").And.Contain("spec.infrastructure.annotations");
    }

    [Theory]
    [InlineData("", "Secret", true)]
    [InlineData("", "ConfigMap", false)]
    [InlineData("example.com", "Secret", false)]
    public void CertificateRef_to_another_kind_does_not_resolve(string group, string kind, bool resolves)
    {
        var json = HostileRoutes.Good(0);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["listeners"]![1]!["tls"]!["certificateRefs"] = new JsonArray(
            new JsonObject
            {
                ["group"] = group,
                ["kind"] = kind,
                ["name"] = "own",
            }
        );

        var gateway = (Gateway)Translate(json, new ManagementStub(NameHolder.Free) { Certificate = "copied" }).Generated!;

        var name = gateway.Spec!.Listeners![1].Tls!.CertificateRefs!.Single().Name;
        name.Should().Be(resolves ? "copied" : UnresolvedNames.For("bench", "own"));
    }

    [Theory]
    [InlineData("gateway.envoyproxy.io/owning-gateway-name")]
    [InlineData("gateway.networking.k8s.io/gateway-name")]
    [InlineData("service.kubernetes.io/service-proxy-name")]
    [InlineData("endpointslice.kubernetes.io/managed-by")]
    [InlineData("kubelb.k8c.io/tenant")]
    [InlineData("kubelb.k8c.io/managed-by")]
    [InlineData("argocd.argoproj.io/instance")]
    [InlineData("kustomize.toolkit.fluxcd.io/name")]
    [InlineData("app.kubernetes.io/instance")]
    [InlineData("app.kubernetes.io/name")]
    [InlineData("app")]
    [InlineData("istio.io/rev")]
    [InlineData("kubernetes.io/cluster-service")]
    [InlineData("prometheus")]
    [Trait("Threat", "labels")]
    public void Label_by_which_controllers_select_is_not_generated(string label)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var source = json["spec"]!["source"]!["kubernetes"]!;
        source["resource"]!["metadata"]!["labels"] = new JsonObject { [label] = "forged", ["app.kubernetes.io/part-of"] = "a" };
        source["services"]![0]!["metadata"]!["labels"]![label] = "forged";

        var translation = Translate(json);

        translation.Generated!.Metadata.Labels.Values.Should().NotContain("forged").And.Contain("a");
        translation.Services.Should().OnlyContain(s => !s.Service.Metadata.Labels.Values.Contains("forged"));
    }

    private static string? ServiceProblem(Action<JsonNode> change)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        change(json["spec"]!["source"]!["kubernetes"]!["services"]![0]!["spec"]!["ports"]![0]!);
        return Rejection(json);
    }

    private static string? Problem(Action<JsonNode> change)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        change(json["spec"]!["source"]!["kubernetes"]!["resource"]!);
        return Rejection(json);
    }

    private static string? Rejection(JsonObject json)
    {
        var translation = Translate(json);
        translation.Generated.Should().BeNull();
        translation.Services.Should().BeEmpty();
        translation.IsRejected.Should().BeTrue();
        return translation.Problem;
    }

    private static EnvoyGatewayTranslation Translate(JsonObject json, ManagementStub? view = null) =>
        EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            TenantPolicy.Default,
            view ?? new ManagementStub(NameHolder.Free),
            _ => 10_000
        );
}
