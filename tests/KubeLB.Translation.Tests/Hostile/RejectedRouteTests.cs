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
    [InlineData("web\0")]
    [InlineData("we\u202eb")]
    [InlineData("w\u0435b")]
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
    [InlineData(70000, 30080)]
    [InlineData(80, null)]
    [Trait("Threat", "ports")]
    public void Port_or_node_port_out_of_range_is_rejected(int port, int? nodePort) =>
        ServiceProblem(p => (p["port"], p["nodePort"]) = (port, nodePort)).Should().Contain("both must be 1-65535");

    [Theory]
    [InlineData("NaN")]
    [InlineData(1.5)]
    [InlineData(true)]
    [InlineData(1e300)]
    [InlineData("30080")]
    [Trait("Threat", "ports")]
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
    [Trait("Threat", "malformed-input")]
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
    [Trait("Threat", "foreign-filters")]
    public void ExtensionRef_is_rejected_among_other_filters(string filters) =>
        Problem(r => r["spec"]!["rules"]![0]!["filters"] = JsonNode.Parse(filters))
            .Should()
            .MatchRegex("(extensionRef|\"ExtensionRef\") is not supported");

    [Fact]
    [Trait("Threat", "names-outside-namespace")]
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
    [Trait("Threat", "many-objects")]
    [Trait("Threat", "many-services")]
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

    [Theory]
    [InlineData(80, true)]
    [InlineData(8443, false)]
    public void Earlier_defaults_warn_only_of_node_ports_that_the_route_uses(int port, bool isWarned)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        foreach (var service in json["spec"]!["source"]!["kubernetes"]!["services"]!.AsArray())
        {
            service!["spec"]!["ports"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "a",
                    ["port"] = 80,
                    ["nodePort"] = port == 80 ? 6443 : 30_080,
                },
                new JsonObject
                {
                    ["name"] = "b",
                    ["port"] = 8443,
                    ["nodePort"] = port == 80 ? 30_443 : 6443,
                }
            );
        }

        var translation = EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            TenantPolicy.Merge(null, null, VersionedDefaults.Of(new Tenant())),
            new ManagementStub(NameHolder.Free),
            _ => 10_000
        );

        translation.Generated.Should().NotBeNull();
        (translation.UpcomingRejection?.Contains("nodePort 6443") == true).Should().Be(isWarned);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [Trait("Threat", "many-services")]
    public void Route_whose_new_Services_exceed_the_total_fails_and_keeps_what_is_served(int existing, bool fits)
    {
        var translation = EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(HostileRoutes.Good(AnHttpRoute)),
            TenantPolicy.Default with
            {
                MaxTotalServices = 2,
            },
            new ManagementStub(NameHolder.Free) { Services = existing },
            _ => 10_000
        );

        (translation.Problem is null).Should().Be(fits);
        translation.IsRejected.Should().BeFalse("it would be removed");
        if (!fits)
        {
            translation.Reason.Should().Be(RouteConditions.LimitExceeded);
            translation.Problem.Should().Contain("need more than 2 Services").And.Contain("limits.totalServices");
        }
    }

    [Theory]
    [InlineData("IPAddress", "203.0.113.7", true)]
    [InlineData(null, "203.0.113.7", true)]
    [InlineData("IPAddress", "203.0.114.7", false)]
    [InlineData("IPAddress", "::ffff:203.0.113.7", false)]
    [InlineData("IPAddress", "203.0.113.007", false)]
    [InlineData("Hostname", "203.0.113.7", false)]
    [InlineData("example.com/pool", "203.0.113.7", false)]
    [InlineData("IPAddress", null, false)]
    [Trait("Threat", "gateway-fields")]
    public void Gateway_requests_only_permitted_addresses(string? type, string? value, bool permitted)
    {
        var json = HostileRoutes.Good(0);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["addresses"] = new JsonArray(
            new JsonObject { ["type"] = type, ["value"] = value }
        );

        var translation = EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            TenantPolicy.Merge(new Config { Spec = new() { GatewayAPI = new() { GatewayAddresses = ["203.0.113.0/24"] } } }, null),
            new ManagementStub(NameHolder.Free),
            _ => 10_000
        );

        (translation.Problem is null).Should().Be(permitted);
        if (permitted)
        {
            ((Gateway)translation.Generated!).Spec!.Addresses!.Single().Value.Should().Be(value);
        }
        else
        {
            translation.Reason.Should().Be(GatewayConditions.UnsupportedAddress);
        }
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
            Find(r["spec"]!, path[..^1])[path[^1]] = JsonNode.Parse(
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
    [Trait("Threat", "foreign-references")]
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

    [Theory]
    [InlineData("parentRefs", """{"name":"kubelb","namespace":"tenant-other"}""")]
    [InlineData("parentRefs", """{"group":"","kind":"Service","name":"kubelb"}""")]
    [InlineData("parentRefs", """{"kind":"ListenerSet","name":"kubelb"}""")]
    [InlineData("rules.0.backendRefs", """{"name":"kubernetes","namespace":"default","port":443}""")]
    [InlineData("rules.0.backendRefs", """{"name":"bench-web-web","namespace":"tenant-other","port":80}""")]
    [InlineData("rules.0.backendRefs", """{"group":"gateway.envoyproxy.io","kind":"Backend","name":"web","port":80}""")]
    [InlineData("rules.0.backendRefs", """{"group":"multicluster.x-k8s.io","kind":"ServiceImport","name":"web","port":80}""")]
    [InlineData("rules.0.backendRefs", """{"kind":"Secret","name":"envoy-xds-client","port":80}""")]
    [InlineData("rules.0.backendRefs", """{"name":"envoy-tenant-t","port":80}""")]
    [Trait("Threat", "foreign-references")]
    public void Reference_that_does_not_resolve_gets_a_name_that_cannot_exist(string place, string reference)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var value = JsonNode.Parse(reference)!;
        var expected = UnresolvedNames.For((string?)value["namespace"] ?? "bench", (string)value["name"]!);
        var path = place.Split('.');
        Find(json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!, path[..^1])[path[^1]] = new JsonArray(value);

        var result = Find(ApiJson.ToJson(Translate(json).Generated!)["spec"]!, path)[0]!;

        ((string?)result["name"]).Should().Be(expected);
        result["namespace"].Should().BeNull();
    }

    [Theory]
    [InlineData("""{"name":"web","namespace":"tenant-other","port":80}""")]
    [InlineData("""{"name":"web","port":81}""")]
    [InlineData("""{"kind":"Secret","name":"token","port":80}""")]
    [Trait("Threat", "foreign-references")]
    public void Mirror_that_does_not_resolve_is_omitted(string reference)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var rule = json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["rules"]![0]!;
        rule["filters"]![0]!["requestMirror"]!["backendRef"] = JsonNode.Parse(reference);
        rule["backendRefs"]![2]!["filters"]![0]!["requestMirror"]!["backendRef"] = JsonNode.Parse(reference);

        var generated = ((HttpRoute)Translate(json).Generated!).Spec!.Rules!.Single();

        generated.Filters.Should().BeNull();
        generated.BackendRefs.Should().HaveCount(3).And.OnlyContain(b => b.Filters == null);
    }

    [Theory]
    [InlineData("gatewayClassName", "\"All\"")]
    [InlineData("defaultScope", "\"All\"")]
    [InlineData("allowedListeners", """{"namespaces":{"from":"All"}}""")]
    [InlineData("listeners.0.allowedRoutes.namespaces", """{"from":"All"}""")]
    [InlineData("listeners.0.allowedRoutes.namespaces", """{"from":"Selector","selector":{"matchLabels":{"a":"All"}}}""")]
    [Trait("Threat", "gateway-scope")]
    public void Field_that_opens_a_Gateway_to_other_objects_is_not_generated(string place, string value)
    {
        var json = HostileRoutes.Good(0);
        var path = place.Split('.');
        Find(json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!, path[..^1])[path[^1]] = JsonNode.Parse(value);

        var gateway = (Gateway)Translate(json).Generated!;

        gateway.Spec!.GatewayClassName.Should().Be("eg");
        gateway.Spec.Listeners!.Select(l => l.AllowedRoutes!.Namespaces!.From).Should().OnlyContain(from => from == "Same");
        ApiJson.ToJson(gateway).ToJsonString().Should().NotContain("\"All\"");
    }

    [Fact]
    [Trait("Threat", "gateway-scope")]
    public void Route_for_default_Gateways_is_generated_without_the_field()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["useDefaultGateways"] = "All";

        var translation = Translate(json);

        ApiJson.ToJson(translation.Generated!).ToJsonString().Should().NotContain("useDefaultGateways");
        translation.IgnoredFields.Should().Contain("spec.useDefaultGateways");
    }

    [Theory]
    [InlineData(
        "filters",
        """
            [{"type":"RequestHeaderModifier","requestHeaderModifier":{"remove":["x-forwarded-client-cert"],
              "set":[{"name":"x-forwarded-for","value":"127.0.0.1"},{"name":"x-envoy-original-dst-host","value":"10.0.0.1:443"}]}}]
            """
    )]
    [InlineData("filters", """[{"type":"RequestRedirect","requestRedirect":{"hostname":"www.example.net"}}]""")]
    [InlineData("filters", """[{"type":"URLRewrite","urlRewrite":{"hostname":"kubernetes.default.svc"}}]""")]
    [InlineData("timeouts", """{"request":"99999h"}""")]
    [InlineData("sessionPersistence", """{"sessionName":"session"}""")]
    [Trait("Threat", "own-traffic")]
    public void Field_that_changes_requests_is_generated_for_the_Gateway_and_backends_of_the_tenant_only(string field, string value)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var rule = json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["rules"]![0]!;
        rule[field] = JsonNode.Parse(value);

        var generated = (HttpRoute)Translate(json).Generated!;

        JsonNode.DeepEquals(ApiJson.ToJson(generated)["spec"]!["rules"]![0]![field], rule[field]).Should().BeTrue();
        generated.ParentRefs.Select(p => p.Name).Should().Equal("bench-kubelb", UnresolvedNames.For("infra", "kubelb"));
        generated
            .Spec!.Rules![0]
            .BackendRefs!.Select(b => b.Name)
            .Should()
            .Equal("bench-web-web", UnresolvedNames.For("tenant-other", "token"), "bench-web-web");
    }

    [Theory]
    [InlineData("TCP")]
    [InlineData("UDP")]
    [InlineData("TLS")]
    [Trait("Threat", "own-traffic")]
    public void Listener_of_another_protocol_is_generated_for_the_tenants_routes_only(string protocol)
    {
        var json = HostileRoutes.Good(0);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["listeners"]![0]!["protocol"] = protocol;

        var listener = ((Gateway)Translate(json).Generated!).Spec!.Listeners![0];

        (listener.Protocol, listener.AllowedRoutes!.Namespaces!.From).Should().Be((protocol, "Same"));
    }

    [Fact]
    [Trait("Threat", "forged-metadata")]
    public void Finalizers_and_owners_of_the_source_object_are_not_generated()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var source = json["spec"]!["source"]!["kubernetes"]!;
        const string Forged =
            """{"finalizers":["example.com/hold"],"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"x","uid":"y"}]}""";
        foreach (var (field, value) in JsonNode.Parse(Forged)!.AsObject())
        {
            source["resource"]!["metadata"]![field] = value!.DeepClone();
            source["services"]![0]!["metadata"]![field] = value.DeepClone();
        }

        var translation = Translate(json);

        foreach (var metadata in translation.Services.Select(s => s.Service.Metadata).Append(translation.Generated!.Metadata))
        {
            metadata.Finalizers.Should().BeNull();
            metadata.OwnerReferences.Should().ContainSingle().Which.Kind.Should().Be("Route");
        }
    }

    [Fact]
    [Trait("Threat", "shared-origin")]
    public void Services_of_one_origin_are_generated_once()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var services = json["spec"]!["source"]!["kubernetes"]!["services"]!.AsArray();
        for (var i = 0; i < 20; i++)
        {
            services.Add(services[0]!.DeepClone());
            var forged = services[0]!.DeepClone();
            forged["metadata"]!["name"] = $"forged-{i}";
            services.Add(forged);
        }

        Translate(json).Services.Select(s => s.Service.Metadata.Name).Should().Equal("bench-web-web", "infra-web-web");
    }

    [Theory]
    [InlineData("../../x")]
    [InlineData("a/b c")]
    [Trait("Threat", "names-outside-namespace")]
    public void Service_name_with_a_slash_is_rejected(string name)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        json["spec"]!["source"]!["kubernetes"]!["services"]![1]!["metadata"]!["name"] = name;

        Rejection(json).Should().NotBeNull();
    }

    [Fact]
    [Trait("Threat", "service-types")]
    public void Service_is_generated_with_type_selector_and_ports_only()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var spec = json["spec"]!["source"]!["kubernetes"]!["services"]![0]!["spec"]!.AsObject();
        const string Forged = """
            {"type":"LoadBalancer","clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1"],"externalIPs":["10.0.0.9"],
             "loadBalancerIP":"192.0.2.1","loadBalancerSourceRanges":["0.0.0.0/0"],"externalName":"metadata.internal","selector":{"a":"b"}}
            """;
        foreach (var (field, value) in JsonNode.Parse(Forged)!.AsObject())
        {
            spec[field] = value!.DeepClone();
        }

        var service = Translate(json).Services[0].Service;

        ApiJson.ToJson(service)["spec"]!.AsObject().Select(f => f.Key).Should().BeEquivalentTo("type", "selector", "ports");
        service.Spec.Type.Should().Be("ClusterIP");
        service.Spec.Selector.Should().Equal(new Dictionary<string, string> { ["app.kubernetes.io/name"] = "tenant-t" });
    }

    private static JsonNode Find(JsonNode node, IEnumerable<string> path) =>
        path.Aggregate(node, (n, step) => int.TryParse(step, out var i) ? n[i]! : n[step]!);

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
