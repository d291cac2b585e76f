using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// An installation of the Go project (1.4) is migrated to this one and back, as <c>docs/operator/migrate.md</c> and
/// <c>docs/operator/migrate-back.md</c> say: the objects are what the Go manager and CCM left in both clusters. The Go components do not
/// run here.
/// </summary>
public sealed class GoMigrationTests : IAsyncLifetime
{
    private const string Variable = "KUBELB_TEST_CRDS";
    private const string Ns = BareManagement.TenantNamespace;
    private const string CleanupFinalizer = "kubelb.k8c.io/cleanup";
    private const string ServiceName = "bench-web-web";
    private const string Deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: bench}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: example.com/web, ports: [{containerPort: 8080}]}]}
        """;

    private static readonly string[] KubelbKinds = ["Config", "Tenant", "TenantState", "Addresses", "Route", "SyncSecret"];

    private RecordedFixture _recorded = null!;

    private SystemFixture Fixture => _recorded.Fixture;

    public async ValueTask InitializeAsync()
    {
        _recorded = await RecordedFixture.StartAsync(RecordedState.Of("go-1.4"), """{"replicas":3}""");
        await Fixture.Tenant.ApplyAsync(Deployment);
        await CreateAccessAsync();
        Fixture.ForgetRequests();
    }

    public async ValueTask DisposeAsync() => await _recorded.DisposeAsync();

    [Fact]
    public async Task Go_installation_keeps_names_ports_token_and_kubeconfig_after_migration()
    {
        var before = await _recorded.GeneratedAsync();
        var secrets = await SecretsAsync();
        before.Should().HaveCount(6).And.Contain(o => o.StartsWith($"Service {ServiceName} ") && o.EndsWith(" 53630"));

        await StartManagerAsync();
        (await _recorded.GeneratedAsync()).Should().Equal(before, "a manager that starts replaces nothing");
        await StartCcmAsync();

        (await _recorded.GeneratedAsync()).Should().Equal(before, "the CCM finds the Routes of the Go CCM");
        (await SecretsAsync()).Should().Equal(secrets);
        Fixture.Writes().Where(r => r.Verb.StartsWith("delete", StringComparison.Ordinal)).Should().BeEmpty();
        (await FinalizersAsync()).Should().BeEmpty("this CCM sets no finalizers in the tenant's cluster");
        var proxies = (await Fixture.Management.GetAsync<V1Deployment>(Ns, "envoy-tenant-t1"))!;
        proxies.Spec.Selector.MatchLabels.Should().Equal(new Dictionary<string, string> { ["app.kubernetes.io/name"] = Ns });
        proxies.Spec.Template.Spec.Containers.Should().ContainSingle("the second container was the Go manager's");
    }

    [Fact]
    public async Task Objects_remain_valid_under_the_Go_CRDs_and_are_adopted_after_return()
    {
        var definitions = GoDefinitions();
        await StartManagerAsync();
        await StartCcmAsync();
        await Fixture.Tenant.PatchAsync<HttpRoute>(
            "bench",
            "web",
            """{"metadata":{"annotations":{"gateway.envoyproxy.io/retry-on":"5xx","gateway.envoyproxy.io/num-retries":"2"}}}"""
        );
        await Fixture.Management.WaitAsync<Route>(
            Ns,
            await RouteNameAsync(),
            r => r.Status!.Resources!.Route!.Conditions!.Count == 2,
            "reports its retries"
        );
        await Fixture.SettleAsync();
        var ours = await _recorded.GeneratedAsync();
        var settings = (await _recorded.Management.GetAsync("Config", "kubelb", "default"))!["spec"]!;
        await Fixture.StopCcmAsync();
        await Fixture.StopManagerAsync();

        // Return: the CRDs of the Go project replace those of this project.
        var replaced = await ReplaceDefinitionsAsync(definitions);
        foreach (var kind in KubelbKinds)
        {
            foreach (var stored in await _recorded.Management.ListAsync(kind))
            {
                await _recorded.Management.ReplaceAsync(stored);
                if (stored["status"] is JsonObject status)
                {
                    await _recorded.Management.PatchAsync(
                        kind,
                        RawObjects.NamespaceOf(stored),
                        RawObjects.NameOf(stored),
                        new JsonObject { ["status"] = status.DeepClone() },
                        "status"
                    );
                }
            }
        }

        var route = (await _recorded.Management.GetAsync("Route", Ns, await RouteNameAsync()))!["status"]!["resources"]!;
        route["route"]!["generatedName"]!.GetValue<string>().Should().Be("bench-web");
        route["route"]!["sourceGeneration"].Should().BeNull("the definitions of the Go project lack it");
        var service = route["services"]!["bench/web"]!;
        service["generatedName"]!.GetValue<string>().Should().Be(ServiceName);
        service["ports"]![0]!["targetPort"]!.GetValue<int>().Should().Be(53630, "from there a Go manager restores its ports");
        var gateway = (await Fixture.Tenant.GetAsync<Gateway>("bench", "kubelb"))!.Metadata.Uid;
        (await _recorded.Management.GetAsync("Route", Ns, gateway))!["status"]!["resources"]!["route"]!["generatedName"]!
            .GetValue<string>()
            .Should()
            .Be("kubelb");

        // Forward again. Fields that the Go project's CRDs lack are lost: the settings are applied once more.
        (await _recorded.Management.GetAsync("Config", "kubelb", "default"))!["spec"]!
            ["addresses"]
            .Should()
            .BeNull();
        await ReplaceDefinitionsAsync(replaced);
        await _recorded.Management.PatchAsync("Config", "kubelb", "default", new JsonObject { ["spec"] = settings.DeepClone() });
        await StartManagerAsync();
        await StartCcmAsync();
        (await _recorded.GeneratedAsync()).Should().Equal(ours);
    }

    private async Task StartManagerAsync()
    {
        await Fixture.StartManagerAsync();
        await Fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        await Fixture.SettleAsync();
    }

    private async Task StartCcmAsync()
    {
        await Fixture.StartCcmAsync();
        var address = await _recorded.WaitForAddressAsync("bench", "kubelb", "kubelb");
        await Fixture.ExpectBackendAtAsync(address, "web.example.com");
        await Fixture.Tenant.WaitAsync<HttpRoute>(
            "bench",
            "web",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await Fixture.SettleAsync();
    }

    private async Task<string> RouteNameAsync() => (await Fixture.Tenant.GetAsync<HttpRoute>("bench", "web"))!.Metadata.Uid;

    /// <summary>
    /// The token and the kubeconfig of the CCM, under the names and with the keys of the recording; their contents were not recorded.
    /// </summary>
    private async Task CreateAccessAsync()
    {
        if (!Fixture.Features.HasFlag(ClusterFeatures.Controllers))
        {
            await DisposeAsync();
            Assert.SkipWhen(true, ClusterFeatureReasons.NoControllers);
        }

        await Fixture.Management.CreateAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "kubelb-ccm",
                    NamespaceProperty = Ns,
                    Annotations = new Dictionary<string, string> { ["kubernetes.io/service-account.name"] = "kubelb-ccm" },
                },
                Type = "kubernetes.io/service-account-token",
            }
        );
        var token = await Fixture.Management.WaitAsync<V1Secret>(Ns, "kubelb-ccm", s => s.Data?.ContainsKey("token") == true, "is filled");
        var kubeconfig = $$"""
            apiVersion: v1
            kind: Config
            clusters:
            - cluster:
                certificate-authority-data: {{Convert.ToBase64String(token.Data["ca.crt"])}}
                server: {{Fixture.Sandbox.Management.Url.GetLeftPart(UriPartial.Authority)}}
              name: management
            contexts:
            - context: {cluster: management, user: tenant}
              name: default
            current-context: default
            users:
            - name: tenant
              user: {token: {{Encoding.UTF8.GetString(token.Data["token"])}} }

            """;
        await Fixture.Management.CreateAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = "kubelb-ccm-kubeconfig", NamespaceProperty = Ns },
                Type = "Opaque",
                Data = new Dictionary<string, byte[]> { ["kubelb"] = Encoding.UTF8.GetBytes(kubeconfig) },
            }
        );
    }

    private async Task<IReadOnlyList<string>> SecretsAsync() =>
        [
            .. (await Fixture.Management.ListAsync<V1Secret>(Ns))
                .Where(s => s.Name().StartsWith("kubelb-ccm", StringComparison.Ordinal))
                .SelectMany(s => s.Data.Select(d => $"{s.Name()} {s.Metadata.Uid} {d.Key} {Convert.ToBase64String(d.Value)}"))
                .Order(StringComparer.Ordinal),
        ];

    private async Task<IReadOnlyList<string>> FinalizersAsync()
    {
        var found = new List<string>();
        foreach (var kind in new[] { "Gateway", "HTTPRoute", "Service" })
        {
            found.AddRange(
                (await _recorded.Tenant.ListAsync(kind))
                    .Where(o => o["metadata"]!["finalizers"]?.ToJsonString().Contains(CleanupFinalizer) == true)
                    .Select(o => $"{kind} {RawObjects.NameOf(o)}")
            );
        }

        return found;
    }

    private static IReadOnlyList<JsonObject> GoDefinitions()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder) || !Directory.Exists(Path.Combine(folder, "kubelb")),
            $"{Variable} does not name a folder with kubelb/, the definitions of the Go project"
        );
        return [.. Directory.GetFiles(Path.Combine(folder, "kubelb"), "*.yaml").Select(file => Yaml.Read(File.ReadAllText(file)).Single())];
    }

    /// <summary>Gives the definitions new schemas and columns.</summary>
    /// <returns>The definitions as they were.</returns>
    private async Task<IReadOnlyList<JsonObject>> ReplaceDefinitionsAsync(IReadOnlyList<JsonObject> definitions)
    {
        var before = new List<JsonObject>();
        foreach (var definition in definitions)
        {
            var present = (await _recorded.Management.GetAsync("CustomResourceDefinition", "", RawObjects.NameOf(definition)))!;
            before.Add(present.DeepClone().AsObject());
            present["spec"] = definition["spec"]!.DeepClone();
            await _recorded.Management.ReplaceAsync(present);
        }

        // A server applies a new schema with a delay.
        await Task.Delay(Fixture.Features.HasFlag(ClusterFeatures.Controllers) && TestClusters.TestClusters.IsEmbedded ? 100 : 10_000);
        return before;
    }
}
