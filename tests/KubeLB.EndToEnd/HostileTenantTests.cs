using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A malicious tenant that uses the kubeconfig of its CCM directly.</summary>
public sealed class HostileTenantTests : IAsyncLifetime
{
    private const string Ns = "tenant-t1";
    private const string Hold = "example.com/hold";
    private SystemFixture _fixture = null!;
    private TestCluster _tenant = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();

        // The CCM would remove Routes that it did not create.
        await _fixture.StopCcmAsync();
        var secret = await _fixture.Management.GetAsync<V1Secret>(Ns, "kubelb-ccm-kubeconfig");
        using var yaml = new MemoryStream(secret!.Data["kubelb"]);
        _tenant = new TestCluster(_fixture.Sandbox.Management.CreateClient(KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml)));
    }

    public async ValueTask DisposeAsync()
    {
        await _tenant.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Theory]
    [InlineData("v1", "Secret", "web")]
    [InlineData("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy", "web")]
    [InlineData("gateway.networking.k8s.io/v1alpha2", "HTTPRoute", "web")]
    [InlineData("gateway.networking.k8s.io/v1", "HTTPRoute", "Web_of.kube-system")]
    [Trait("Threat", "other-kind")]
    public async Task Rejected_route_reports_the_reason_and_others_are_served(string apiVersion, string kind, string name)
    {
        await _tenant.CreateAsync(Route("hostile", apiVersion, kind, name));

        var rejected = await _fixture.Management.WaitAsync<Route>(Ns, "hostile", r => Applied(r) is { Status: "False" }, "is rejected");
        Applied(rejected)!.Message.Should().MatchRegex("is not (supported|a DNS-1123)");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "taken-name")]
    public async Task Route_with_the_origin_of_another_gets_a_unique_generated_name()
    {
        // The same origin as the served route, with the UID of no object.
        await _tenant.CreateAsync(Route("hostile", "gateway.networking.k8s.io/v1", "HTTPRoute", "api-route"));

        var route = await _fixture.Management.WaitAsync<Route>(
            Ns,
            "hostile",
            r => r.Status?.Resources?.Route?.GeneratedName is not null,
            "has a name"
        );
        route.Status!.Resources!.Route!.GeneratedName.Should().MatchRegex("^default-api-route-[0-9a-f]{4}$");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "many-updates")]
    public async Task Frequent_updates_of_a_route_are_coalesced_into_few_writes()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can delay writes");
        const int Updates = 200;
        var route = await ServedRouteAsync();
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();

        using (
            ((EmbeddedTestCluster)_fixture.Sandbox.Management).Server.Faults.Add(
                new FaultRule
                {
                    Matches = r => r.UserAgent == "kubelb-manager" && r.IsWrite && r.Resource == "httproutes",
                    Times = null,
                    Delay = TimeSpan.FromMilliseconds(500),
                }
            )
        )
        {
            for (var i = 0; i < Updates; i++)
            {
                await _tenant.PatchAsync<Route>(Ns, route, Hostname($"h{i}.example.com"));
            }

            await _fixture.Management.WaitAsync<HttpRoute>(
                Ns,
                "default-api-route",
                r => r.Hostnames.SequenceEqual([$"h{Updates - 1}.example.com"]),
                "has the last hostname"
            );
        }

        _fixture.Writes().Count(w => w.Resource == "httproutes").Should().BeLessThan(Updates / 4);
    }

    [Fact]
    [Trait("Threat", "many-statuses")]
    [Trait("Threat", "many-events")]
    public async Task Route_that_alternates_between_two_rejected_states_causes_few_status_writes_and_Events()
    {
        const int Changes = 400;
        await _tenant.CreateAsync(Route("hostile", "v1", "Secret", "web"));
        await _fixture.Management.WaitAsync<Route>(Ns, "hostile", r => Applied(r) is not null, "is rejected");
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();
        var start = TimeProvider.System.GetTimestamp();

        for (var i = 1; i <= Changes; i++)
        {
            var kind =
                i == Changes ? "Last"
                : i % 2 == 0 ? "Secret"
                : "ConfigMap";
            await _tenant.PatchAsync<Route>(
                Ns,
                "hostile",
                $$$"""{"spec":{"source":{"kubernetes":{"resource":{"kind":"{{{kind}}}"} } } } }"""
            );
        }

        await _fixture.Management.WaitAsync<Route>(Ns, "hostile", r => Applied(r)!.Message.Contains("Last"), "reports the last state");
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        var requests = _fixture.Requests().Where(r => r.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal)).ToList();
        var statuses = requests.Count(r => r is { Resource: "routes", Subresource: "status", IsWrite: true });
        var events = requests.Count(r => r is { Resource: "events", IsWrite: true });
        TestContext.Current.TestOutputHelper?.WriteLine($"{Changes} changes, {seconds:0.0} s: {statuses} statuses, {events} Events");
        statuses.Should().BeLessThanOrEqualTo(10 + (int)seconds + 1);
        events.Should().BeLessThanOrEqualTo(statuses + 1);
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "large-routes")]
    public async Task Route_of_one_megabyte_is_rejected_and_delays_no_other_route()
    {
        await _tenant.CreateAsync(Large("huge", 1_000_000));

        var rejected = await _fixture.Management.WaitAsync<Route>(Ns, "huge", r => Applied(r) is not null, "has a condition");
        Applied(rejected)!.Message.Should().Contain("the limit of tenant t1 is 262144").And.Contain("limits.routeBytes");
        rejected.Status!.Resources!.Route!.Name.Should().Be("huge", "the origin is known although the content was dropped");
        await _tenant.PatchAsync<Route>(Ns, await ServedRouteAsync(), Hostname("quick.example.com"));
        await _fixture.ExpectBackendAsync("quick.example.com");
    }

    [Fact]
    [Trait("Threat", "large-routes")]
    public async Task Routes_beyond_the_total_size_are_rejected_newest_first_and_served_when_there_is_room()
    {
        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"limits":{"totalBytes":150000}}}""");
        await _tenant.CreateAsync(Large("large-a", 100_000));
        await ExpectAsync("large-a", isServed: true);
        await _tenant.CreateAsync(Large("large-b", 100_000));
        await ExpectAsync("large-b", isServed: false);

        // Also after a restart, when all are read in the order of their names.
        await _fixture.RestartManagerAsync();
        await ExpectAsync("large-b", isServed: false);
        await ExpectAsync("large-a", isServed: true);
        await _tenant.DeleteAsync<Route>(Ns, "large-a");

        await ExpectAsync("large-b", isServed: true);
        await _fixture.ExpectBackendAsync("api.example.com");

        // A lower limit applies at once.
        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"limits":{"routeBytes":50000}}}""");
        await ExpectAsync("large-b", isServed: false);
        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"limits":null}}""");
        await ExpectAsync("large-b", isServed: true);
    }

    [Fact]
    [Trait("Threat", "many-services")]
    public async Task Services_that_no_backendRef_names_are_not_generated()
    {
        var route = Route("many", "gateway.networking.k8s.io/v1", "HTTPRoute", "many");
        route.Change(k =>
        {
            k.Resource!["spec"]!["rules"] = JsonNode.Parse("""[{"backendRefs":[{"name":"s1","port":80}]}]""");
            k.Services =
            [
                .. Enumerable
                    .Range(0, 300)
                    .Select(i =>
                        ApiJson.Read<RouteService>(
                            JsonNode.Parse(
                                $$$"""
                                {"metadata":{"name":"s{{{i}}}","namespace":"default"},"spec":{"ports":[{"port":80,"nodePort":{{{30000
                                    + i}}}}]}}
                                """
                            )!
                        )
                    ),
            ];
        });
        await _tenant.CreateAsync(route);

        await ExpectAsync("many", isServed: true);

        (await _fixture.Management.ListAsync<V1Service>(Ns))
            .Select(s => s.Name())
            .Where(name => name.StartsWith("default-many-", StringComparison.Ordinal))
            .Should()
            .Equal("default-many-s1");
    }

    private async Task ExpectAsync(string route, bool isServed) =>
        await _fixture.Management.WaitAsync<Route>(
            Ns,
            route,
            r => Applied(r) is { } applied && applied.IsTrue == isServed && (isServed || applied.Message.Contains("bytes")),
            isServed ? "is served" : "is rejected"
        );

    // Unknown fields, of which Routes may have any number.
    private static Route Large(string name, int bytes)
    {
        var route = Route(name, "gateway.networking.k8s.io/v1", "HTTPRoute", name);
        route.Change(k =>
        {
            for (var i = 0; i < bytes / 20; i++)
            {
                k.Resource!["spec"]![$"key{i:D10}"] = 1;
            }
        });
        return route;
    }

    [Fact]
    [Trait("Threat", "finalizers")]
    public async Task Finalizer_that_blocks_tenant_deletion_is_reported()
    {
        var route = Route("held", "v1", "Secret", "web");
        route.Metadata.Finalizers = [Hold];
        await _tenant.CreateAsync(route);
        await _fixture.Management.WaitAsync<Route>(Ns, "held", r => Applied(r) is not null, "is reconciled");

        await _fixture.Management.DeleteAsync<Tenant>("", "t1");

        await _fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Terminating, "Route tenant-t1/held", Hold),
            "names the finalizer"
        );
        await _fixture.Management.PatchAsync<Route>(Ns, "held", """{"metadata":{"finalizers":null}}""");
        await _fixture.Management.WaitGoneAsync<Tenant>("", "t1");
    }

    [Fact]
    [Trait("Threat", "finalizers")]
    public async Task Removed_finalizer_of_a_Route_is_restored()
    {
        var route = await ServedRouteAsync();
        var finalizers = (await _fixture.Management.GetAsync<Route>(Ns, route))!.Metadata.Finalizers;
        finalizers.Should().NotBeEmpty();

        await _tenant.PatchAsync<Route>(Ns, route, """{"metadata":{"finalizers":null}}""");

        await _fixture.Management.WaitAsync<Route>(Ns, route, r => finalizers.SequenceEqual(r.Metadata.Finalizers ?? []), "has it again");
    }

    [Fact]
    [Trait("Threat", "forged-metadata")]
    public async Task Forged_metadata_of_a_Route_is_not_copied_to_generated_objects()
    {
        var forged = Route("forged", "gateway.networking.k8s.io/v1", "HTTPRoute", "forged");
        forged.Metadata.Labels = new Dictionary<string, string>
        {
            [Labels.OriginName] = "api-route",
            [Labels.OriginNamespace] = "default",
            ["kubelb.k8c.io/tenant"] = "t2",
        };
        forged.Metadata.Annotations = new Dictionary<string, string>
        {
            [Annotations.Applied] = "{}",
            ["gateway.envoyproxy.io/x"] = "forged",
        };
        forged.Change(k => k.Resource!["metadata"]!["annotations"] = new JsonObject { ["gateway.envoyproxy.io/x"] = "forged" });
        await _tenant.CreateAsync(forged);

        var generated = await _fixture.Management.WaitAsync<HttpRoute>(Ns, "default-forged", _ => true, "is generated");
        generated.Metadata.Labels.Should().NotContainKey("kubelb.k8c.io/tenant").And.Contain(Labels.OriginName, "forged");
        generated.Metadata.Annotations.Keys.Should().Equal(Annotations.Applied);
        generated.Metadata.OwnerReferences.Should().ContainSingle().Which.Name.Should().Be("forged");
    }

    [Fact]
    [Trait("Threat", "forged-status")]
    public async Task Forged_status_is_overwritten_and_changes_no_port_or_name()
    {
        var (route, gateway) = (await ServedRouteAsync(), (await _fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid);
        var before = (await _fixture.Management.GetAsync<Route>(Ns, route))!.Status!.Resources!;
        var parent = (await _fixture.Management.GetAsync<Route>(Ns, gateway))!.Status!.Resources!.Route!.GeneratedName!;
        var port = (await _fixture.Management.GetAsync<V1Service>(Ns, "default-api-route-api-backend"))!
            .Spec.Ports.Single()
            .TargetPort.Value;
        await _fixture.Management.CreateAsync(
            new Gateway
            {
                Metadata = { Name = "of-the-operator", NamespaceProperty = Ns },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "none",
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Port = 80,
                            Protocol = "HTTP",
                        },
                    ],
                },
            }
        );
        var parents = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using var observed = _fixture.Management.Observe<HttpRoute>(Ns, r => parents[r.Spec!.ParentRefs!.Single().Name] = true);

        await _tenant.PatchStatusAsync<Route>(
            Ns,
            gateway,
            JsonNode.Parse("""{ "resources": { "route": { "generatedName": "of-the-operator" } } }""")!
        );
        await _tenant.PatchStatusAsync<Route>(
            Ns,
            route,
            JsonNode.Parse(
                """{ "resources": { "services": { "default/api-backend": { "ports": [{ "port": 8080, "targetPort": 10001 }] } } } }"""
            )!
        );

        await _fixture.Management.WaitAsync<Route>(
            Ns,
            gateway,
            r => r.Status?.Resources?.Route?.GeneratedName == parent,
            "has its generated name again"
        );
        await _fixture.Management.WaitAsync<Route>(
            Ns,
            route,
            r =>
                JsonNode.DeepEquals(
                    ApiJson.ToJson(r.Status!.Resources!.Services!["default/api-backend"]),
                    ApiJson.ToJson(before.Services!["default/api-backend"])
                ),
            "has its ports again"
        );
        await _fixture.SettleAsync();
        (await _fixture.Management.GetAsync<V1Service>(Ns, "default-api-route-api-backend"))!
            .Spec.Ports.Single()
            .TargetPort.Value.Should()
            .Be(port);
        parents.Keys.Should().Equal([parent], "the name comes from the generated object, not from the status");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "secret-names")]
    public async Task Secret_of_another_owner_is_never_overwritten()
    {
        await _fixture.StopManagerAsync();
        var source = await _tenant.CreateAsync(Secret("theirs"));
        await _fixture.Management.CreateAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = source.Metadata.Uid, NamespaceProperty = Ns },
                Data = new Dictionary<string, byte[]> { ["mine"] = [1] },
            }
        );
        await _fixture.StartManagerAsync();

        await _fixture.Management.WaitAsync<SyncSecret>(
            Ns,
            "theirs",
            s => s.Status?.Conditions?.Any(c => c.Status == "False" && c.Message.Contains("already exists")) == true,
            "reports the conflict"
        );
        (await _fixture.Management.GetAsync<V1Secret>(Ns, source.Metadata.Uid))!.Data.Keys.Should().Equal("mine");

        await _fixture.Management.DeleteAsync<V1Secret>(Ns, source.Metadata.Uid);
        await _fixture.Management.WaitAsync<V1Secret>(
            Ns,
            source.Metadata.Uid,
            s => s.Data.ContainsKey("password"),
            "is written after the conflict is removed"
        );
        await _fixture.Management.WaitAsync<SyncSecret>(Ns, "theirs", s => s.Status?.Phase == "Synced", "reports it");
    }

    [Fact]
    [Trait("Threat", "secret-changes")]
    public async Task Secret_with_a_changed_type_is_recreated_and_removed_when_rejected()
    {
        var source = await _tenant.CreateAsync(Secret("mine"));
        var before = await _fixture.Management.WaitAsync<V1Secret>(Ns, source.Metadata.Uid, _ => true, "is there");

        await _tenant.PatchAsync<SyncSecret>(Ns, "mine", """{"type":"kubernetes.io/basic-auth"}""");
        await _fixture.Management.WaitAsync<V1Secret>(
            Ns,
            source.Metadata.Uid,
            s => s.Type == "kubernetes.io/basic-auth" && s.Metadata.Uid != before.Metadata.Uid,
            "is recreated"
        );

        await _tenant.PatchAsync<SyncSecret>(Ns, "mine", """{"type":"kubernetes.io/service-account-token"}""");
        await _fixture.Management.WaitGoneAsync<V1Secret>(Ns, source.Metadata.Uid);
        await _fixture.Management.WaitAsync<SyncSecret>(Ns, "mine", s => s.Status?.Phase == "Failed", "reports it");
    }

    private async Task<string> ServedRouteAsync() =>
        (await _fixture.Management.ListAsync<Route>(Ns))
            .Single(r => r.Metadata.Labels?.TryGetValue(Labels.OriginName, out var name) == true && name == "api-route")
            .Name;

    private static string Hostname(string name) =>
        """{"spec":{"source":{"kubernetes":{"resource":{"spec":{"hostnames":["NAME"]}}}}}}""".Replace("NAME", name);

    private static Condition? Applied(Route route) =>
        route.Status?.Resources?.Route?.Conditions?.SingleOrDefault(c => c.Type == RouteConditions.ResourceAppliedSuccessfully);

    private static SyncSecret Secret(string name) =>
        new()
        {
            Metadata = { Name = name, NamespaceProperty = Ns },
            Type = "Opaque",
            Data = new Dictionary<string, string> { ["password"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("x")) },
        };

    private static Route Route(string routeName, string apiVersion, string kind, string name) =>
        new()
        {
            Metadata = { Name = routeName, NamespaceProperty = Ns },
            Spec = new RouteSpec
            {
                Endpoints = [new RouteEndpoint { Name = "default" }],
                Source = new RouteSource
                {
                    Kubernetes = new KubernetesSource
                    {
                        Resource = new JsonObject
                        {
                            ["apiVersion"] = apiVersion,
                            ["kind"] = kind,
                            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
                            ["spec"] = new JsonObject { ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = "my-gateway" }) },
                        },
                    },
                },
            },
        };
}
