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

/// <summary>A tenant that uses its kubeconfig itself, and not as the CCM would.</summary>
public sealed class HostileTenantTests : IAsyncLifetime
{
    private const string Ns = "tenant-t1";
    private const string Hold = "example.com/hold";
    private SystemFixture _bed = null!;
    private TestCluster _tenant = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();

        // Its CCM would take away what is not its own.
        await _bed.StopCcmAsync();
        var secret = await _bed.Management.GetAsync<V1Secret>(Ns, "kubelb-ccm-kubeconfig");
        using var yaml = new MemoryStream(secret!.Data["kubelb"]);
        _tenant = new TestCluster(_bed.Sandbox.Management.CreateClient(KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml)));
    }

    public async ValueTask DisposeAsync()
    {
        await _tenant.DisposeAsync();
        await _bed.DisposeAsync();
    }

    [Theory]
    [InlineData("v1", "Secret", "web")]
    [InlineData("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy", "web")]
    [InlineData("gateway.networking.k8s.io/v1alpha2", "HTTPRoute", "web")]
    [InlineData("gateway.networking.k8s.io/v1", "HTTPRoute", "Web_of.kube-system")]
    public async Task A_refused_route_says_why_and_the_others_go_on(string apiVersion, string kind, string name)
    {
        await _tenant.CreateAsync(Route("hostile", apiVersion, kind, name));

        var refused = await _bed.Management.WaitAsync<Route>(Ns, "hostile", r => Applied(r) is { Status: "False" }, "is refused");
        Applied(refused)!.Message.Should().MatchRegex("is not (supported|a DNS-1123)");
        await _bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_route_that_claims_the_name_of_another_gets_one_of_its_own()
    {
        // The same origin as the route that is served, and the UID of nobody.
        await _tenant.CreateAsync(Route("hostile", "gateway.networking.k8s.io/v1", "HTTPRoute", "api-route"));

        var route = await _bed.Management.WaitAsync<Route>(
            Ns,
            "hostile",
            r => r.Status?.Resources?.Route?.GeneratedName is not null,
            "has a name"
        );
        route.Status!.Resources!.Route!.GeneratedName.Should().MatchRegex("^default-api-route-[0-9a-f]{4}$");
        await _bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_flood_of_updates_of_one_route_is_written_a_few_times()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters have writes that take long");
        const int Updates = 200;
        var route = await ServedRouteAsync();
        await _bed.SettleAsync();
        _bed.ForgetRequests();

        using (
            ((EmbeddedTestCluster)_bed.Sandbox.Management).Server.Faults.Add(
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

            await _bed.Management.WaitAsync<HttpRoute>(
                Ns,
                "default-api-route",
                r => r.Hostnames.SequenceEqual([$"h{Updates - 1}.example.com"]),
                "has the last one"
            );
        }

        _bed.Writes().Count(w => w.Resource == "httproutes").Should().BeLessThan(Updates / 4);
    }

    [Fact]
    public async Task A_route_of_a_megabyte_gets_an_answer_and_keeps_nobody_waiting()
    {
        var huge = Route("huge", "gateway.networking.k8s.io/v1", "HTTPRoute", "huge");
        huge.Change(k =>
            k.Resource!["spec"]!["hostnames"] = new JsonArray([
                .. Enumerable.Range(0, 20_000).Select(i => JsonValue.Create($"a-rather-long-name-of-a-host-{i:D10}.example.com")),
            ])
        );
        await _tenant.CreateAsync(huge);

        await _bed.Management.WaitAsync<Route>(Ns, "huge", r => Applied(r) is not null, "gets its answer");
        await _tenant.PatchAsync<Route>(Ns, await ServedRouteAsync(), Hostname("quick.example.com"));
        await _bed.ExpectBackendAsync("quick.example.com");
    }

    [Fact]
    public async Task A_finalizer_on_a_route_does_not_hold_up_the_end_of_the_tenant_in_silence()
    {
        var route = Route("held", "v1", "Secret", "web");
        route.Metadata.Finalizers = [Hold];
        await _tenant.CreateAsync(route);
        await _bed.Management.WaitAsync<Route>(Ns, "held", r => Applied(r) is not null, "was looked at");

        await _bed.Management.DeleteAsync<Tenant>("", "t1");

        await _bed.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Terminating, "Route tenant-t1/held", Hold),
            "names the holder"
        );
        await _bed.Management.PatchAsync<Route>(Ns, "held", """{"metadata":{"finalizers":null}}""");
        await _bed.Management.WaitGoneAsync<Tenant>("", "t1");
    }

    [Fact]
    public async Task Forged_labels_owners_and_annotations_of_a_route_reach_nothing_that_is_generated()
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

        var generated = await _bed.Management.WaitAsync<HttpRoute>(Ns, "default-forged", _ => true, "is generated");
        generated.Metadata.Labels.Should().NotContainKey("kubelb.k8c.io/tenant").And.Contain(Labels.OriginName, "forged");
        generated.Metadata.Annotations.Keys.Should().Equal(Annotations.Applied);
        generated.Metadata.OwnerReferences.Should().ContainSingle().Which.Name.Should().Be("forged");
    }

    [Fact]
    public async Task A_forged_status_is_overwritten_and_moves_no_port_and_no_name()
    {
        var (route, gateway) = (await ServedRouteAsync(), (await _bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid);
        var before = (await _bed.Management.GetAsync<Route>(Ns, route))!.Status!.Resources!;
        var parent = (await _bed.Management.GetAsync<Route>(Ns, gateway))!.Status!.Resources!.Route!.GeneratedName!;
        var port = (await _bed.Management.GetAsync<V1Service>(Ns, "default-api-route-api-backend"))!.Spec.Ports.Single().TargetPort.Value;
        await _bed.Management.CreateAsync(
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
        await using var observed = _bed.Management.Observe<HttpRoute>(Ns, r => parents[r.Spec!.ParentRefs!.Single().Name] = true);

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

        await _bed.Management.WaitAsync<Route>(Ns, gateway, r => r.Status?.Resources?.Route?.GeneratedName == parent, "has its name again");
        await _bed.Management.WaitAsync<Route>(
            Ns,
            route,
            r =>
                JsonNode.DeepEquals(
                    ApiJson.ToJson(r.Status!.Resources!.Services!["default/api-backend"]),
                    ApiJson.ToJson(before.Services!["default/api-backend"])
                ),
            "tells its ports again"
        );
        await _bed.SettleAsync();
        (await _bed.Management.GetAsync<V1Service>(Ns, "default-api-route-api-backend"))!
            .Spec.Ports.Single()
            .TargetPort.Value.Should()
            .Be(port);
        parents.Keys.Should().Equal([parent], "the name of a Gateway is that of the generated object, whatever a status says");
        await _bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_secret_that_somebody_else_made_is_never_overwritten()
    {
        await _bed.StopManagerAsync();
        var source = await _tenant.CreateAsync(Secret("theirs"));
        await _bed.Management.CreateAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = source.Metadata.Uid, NamespaceProperty = Ns },
                Data = new Dictionary<string, byte[]> { ["mine"] = [1] },
            }
        );
        await _bed.StartManagerAsync();

        await _bed.Management.WaitAsync<SyncSecret>(
            Ns,
            "theirs",
            s => s.Status?.Conditions?.Any(c => c.Status == "False" && c.Message.Contains("in the way")) == true,
            "says that it is in the way"
        );
        (await _bed.Management.GetAsync<V1Secret>(Ns, source.Metadata.Uid))!.Data.Keys.Should().Equal("mine");

        await _bed.Management.DeleteAsync<V1Secret>(Ns, source.Metadata.Uid);
        await _bed.Management.WaitAsync<V1Secret>(
            Ns,
            source.Metadata.Uid,
            s => s.Data.ContainsKey("password"),
            "is written once there is room"
        );
        await _bed.Management.WaitAsync<SyncSecret>(Ns, "theirs", s => s.Status?.Phase == "Synced", "says so");
    }

    [Fact]
    public async Task A_secret_whose_type_changes_is_made_anew_and_one_that_is_refused_is_gone()
    {
        var source = await _tenant.CreateAsync(Secret("mine"));
        var before = await _bed.Management.WaitAsync<V1Secret>(Ns, source.Metadata.Uid, _ => true, "is there");

        await _tenant.PatchAsync<SyncSecret>(Ns, "mine", """{"type":"kubernetes.io/basic-auth"}""");
        await _bed.Management.WaitAsync<V1Secret>(
            Ns,
            source.Metadata.Uid,
            s => s.Type == "kubernetes.io/basic-auth" && s.Metadata.Uid != before.Metadata.Uid,
            "is made anew"
        );

        await _tenant.PatchAsync<SyncSecret>(Ns, "mine", """{"type":"kubernetes.io/service-account-token"}""");
        await _bed.Management.WaitGoneAsync<V1Secret>(Ns, source.Metadata.Uid);
        await _bed.Management.WaitAsync<SyncSecret>(Ns, "mine", s => s.Status?.Phase == "Failed", "says so");
    }

    private async Task<string> ServedRouteAsync() =>
        (await _bed.Management.ListAsync<Route>(Ns))
            .Single(r => r.Metadata.Labels?.TryGetValue(Labels.OriginName, out var name) == true && name == "api-route")
            .Name;

    private static string Hostname(string name) =>
        """{"spec":{"source":{"kubernetes":{"resource":{"spec":{"hostnames":["NAME"]}}}}}}""".Replace("NAME", name);

    private static Condition? Applied(Route route) => route.Status?.Resources?.Route?.Conditions?.SingleOrDefault();

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
