using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// The roles of the charts grant exactly what manager and CCM use. That no permission is missing is asserted at the end of every test
/// (<see cref="SystemFixture"/>); this test triggers all their requests, and an unused permission is a failure.
/// </summary>
public sealed class PermissionTests : IAsyncLifetime
{
    private const string Finalizer = """{"metadata":{"finalizers":["kubelb.k8c.io/cleanup"]}}""";

    // Hides a generated object from the informers of the manager.
    private const string Unlabelled = """{"metadata":{"labels":{"kubelb.k8c.io/managed-by":null}}}""";

    private const string HttpsListener = """
        {"spec":{"listeners":[
          {"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}},
          {"name":"https","protocol":"HTTPS","port":443,"hostname":"www.example.com","tls":{"certificateRefs":[{"name":"certificate"}]}}]}}
        """;

    private const string OtherObjects = """
        apiVersion: v1
        kind: Service
        metadata:
          name: unselected
        spec:
          ports: [{name: http, port: 80, protocol: TCP, targetPort: 8080}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: unselected-1
          labels: {kubernetes.io/service-name: unselected}
        addressType: IPv4
        ports: [{name: http, port: 8080, protocol: TCP}]
        endpoints: [{addresses: [192.0.2.10]}]
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata:
          name: grpc-route
        spec:
          parentRefs: [{name: my-gateway}]
          hostnames: [grpc.example.com]
          rules:
            - backendRefs: [{name: unselected, port: 80}]
        ---
        apiVersion: kubelb.k8c.io/v1alpha1
        kind: SyncSecret
        metadata:
          name: by-a-user
        type: Opaque
        data: {a: Yg==}
        """;

    // Required by API servers with the admission plugin OwnerReferencesPermissionEnforcement, as in OpenShift.
    private static readonly string[] OnlyOnOtherServers = ["update tenants/finalizers of kubelb.k8c.io"];

    // Used by "kubelb-ccm check".
    private static readonly string[] OnlyByCheck = ["get tenantstates of kubelb.k8c.io"];

    private SystemFixture _fixture = null!;

    private TestCluster Tenant => _fixture.Tenant;

    private TestCluster Management => _fixture.Management;

    public async ValueTask InitializeAsync() =>
        _fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Manager = manager => manager with { EnableLeaderElection = true },
                Ccm = ccm => ccm with { EnableLeaderElection = true, LeaderElectionNamespace = "kubelb" },
            }
        );

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    [Trait("Threat", "unused-permissions")]
    public async Task Every_permission_of_the_roles_is_used()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only the embedded cluster sees the requests of every client");
        await ApplyEverythingAsync();
        await RemoveLabelsAsync();
        await ChangeSettingsAsync();
        await ChangeTenantsObjectsAsync();

        await WaitForUseAsync("kubelb-ccm", Permissions("ccm.yaml"), _fixture.Sandbox.Tenants[0].Cluster);
        await WaitForUseAsync("kubelb-ccm", [.. TenantRole(goCompatibility: false).Except(OnlyByCheck)], _fixture.Sandbox.Management);
        _fixture
            .Requests()
            .Where(r => r.StatusCode == 403 && r.UserAgent.StartsWith("kubelb-ccm", StringComparison.Ordinal))
            .Should()
            .BeEmpty("the Role without Go compatibility permits all requests of this CCM");
        await Management.DeleteAsync<Tenant>("", "t1");
        await Management.WaitGoneAsync<Tenant>("", "t1");
        await WaitForUseAsync("kubelb-manager", Permissions("manager.yaml"), _fixture.Sandbox.Management);
    }

    [Fact]
    public void Grantable_permissions_equal_the_tenant_Role()
    {
        var granted = RoleRules(RulesOf("manager.yaml", "ClusterRole", "kubelb-manager-grants"));

        granted.Should().BeEquivalentTo(TenantRole(goCompatibility: true));
    }

    private static IEnumerable<string> TenantRole(bool goCompatibility) =>
        RoleRules(
            Manager
                .Tenants.TenantObjects.Role(new Tenant { Metadata = { Name = "t" } }, goCompatibility)
                .Rules.Select(r => (r.ApiGroups, r.Resources, r.Verbs))
        );

    private static IEnumerable<string> RoleRules(IEnumerable<(IList<string> Groups, IList<string> Resources, IList<string> Verbs)> rules) =>
        from rule in rules
        from resource in rule.Resources
        from verb in rule.Verbs
        select $"{verb} {resource} of {rule.Groups.Single()}";

    private async Task ApplyEverythingAsync()
    {
        await _fixture.ApplyBasicExampleAsync();
        await Tenant.CreateAsync(new TlsPair("www.example.com").Secret("certificate"));
        await Tenant.ApplyAsync(OtherObjects);
        await Tenant.PatchAsync<Gateway>("default", "my-gateway", HttpsListener);
        await Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"metadata":{"annotations":{"gateway.envoyproxy.io/retry-on":"5xx","gateway.envoyproxy.io/num-retries":"2"}}}"""
        );
        await _fixture.ConfigureProxiesAsync("""{"podMonitor":{"enabled":true},"networkPolicy":{"enabled":true}}""");
        await WaitForAnyAsync<BackendTrafficPolicy>();
        await WaitForAnyAsync<GrpcRoute>();
        await WaitForAnyAsync<PodMonitor>();
        await WaitForAnyAsync<V1NetworkPolicy>();
        await Eventually.GetAsync(
            "the certificate and the user's Secret are synced",
            () => Management.ListAsync<SyncSecret>("tenant-t1"),
            s => s.Count == 2
        );
    }

    // Each kind that the manager generates loses its label, and is recovered.
    private async Task RemoveLabelsAsync()
    {
        await Management.PatchAsync<V1Namespace>("", "tenant-t1", Unlabelled);
        await Management.PatchAsync<TenantState>("tenant-t1", "default", """{"metadata":{"ownerReferences":null}}""");
        await Management.WaitAsync<TenantState>(
            "tenant-t1",
            "default",
            s => s.Metadata.OwnerReferences is { Count: > 0 },
            "has its owner again"
        );
        await RemoveLabelAsync<V1ServiceAccount>();
        await RemoveLabelAsync<V1Role>();
        await RemoveLabelAsync<V1RoleBinding>();
        await RemoveLabelAsync<V1Secret>();
        await RemoveLabelAsync<V1Service>();
        await RemoveLabelAsync<Gateway>();
        await RemoveLabelAsync<HttpRoute>();
        await RemoveLabelAsync<GrpcRoute>();
        for (var i = 0; i < 3; i++)
        {
            await Management.PatchAsync<HttpRoute>("tenant-t1", "default-api-route", """{"spec":{"hostnames":["other.example.com"]}}""");
            await Management.WaitAsync<HttpRoute>(
                "tenant-t1",
                "default-api-route",
                r => r.Spec!.Hostnames!.Single() == "api.example.com",
                "is reverted"
            );
        }

        await RemoveLabelAsync<BackendTrafficPolicy>();
        await RemoveLabelAsync<V1Deployment>();
        await RemoveLabelAsync<V1PodDisruptionBudget>();
        await RemoveLabelAsync<PodMonitor>();
        await RemoveLabelAsync<V1NetworkPolicy>();
    }

    private async Task ChangeSettingsAsync()
    {
        await _fixture.ConfigureProxiesAsync("""{"useDaemonset":true,"nodeSelector":{"no label":"a"}}""");
        await WaitForAnyAsync<V1DaemonSet>();
        await RemoveLabelAsync<V1DaemonSet>();
        await Management.WaitGoneAsync<V1Deployment>("tenant-t1", "envoy-tenant-t1");
        await _fixture.ConfigureProxiesAsync("""{"useDaemonset":null,"nodeSelector":null,"podMonitor":null,"networkPolicy":null}""");
        await Eventually.HoldsAsync(
            async () => (await Management.ListAsync<PodMonitor>("tenant-t1")).Count == 0,
            "the PodMonitor is removed"
        );
        await Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"goCompatibility":false}}""");
        await Management.PatchAsync<Addresses>(
            "tenant-t1",
            "default",
            """{"metadata":{"annotations":{"kubelb.k8c.io/rejected-cluster":"nonsense"}}}"""
        );
    }

    private async Task ChangeTenantsObjectsAsync()
    {
        await Tenant.PatchAsync<GatewayClass>("", "kubelb", """{"metadata":{"labels":{"a":"b"}}}""");
        await Tenant.PatchAsync<V1Service>("default", "api-backend-nodeport", """{"spec":{"selector":{"app":"other"}}}""");
        await Tenant.PatchAsync<V1EndpointSlice>("default", "unselected-1", """{"endpoints":[{"addresses":["192.0.2.11"]}]}""");
        await Tenant.PatchAsync<Gateway>("default", "my-gateway", Finalizer);
        await Tenant.PatchAsync<HttpRoute>("default", "api-route", Finalizer);
        await Tenant.PatchAsync<GrpcRoute>("default", "grpc-route", Finalizer);
        await Tenant.PatchAsync<V1Secret>("default", "certificate", Finalizer);
        await Tenant.PatchAsync<SyncSecret>("default", "by-a-user", Finalizer);
        await Eventually.HoldsAsync(
            async () => (await Tenant.GetAsync<GrpcRoute>("default", "grpc-route"))!.Metadata.Finalizers is not { Count: > 0 },
            "the finalizers are removed"
        );
        await ChangeCertificateAsync();

        // A repeated Event is counted: the same error three times.
        for (var i = 0; i < 3; i++)
        {
            await Tenant.PatchAsync<HttpRoute>(
                "default",
                "api-route",
                """{"spec":{"parentRefs":[{"name":"my-gateway","sectionName":"none"}]}}"""
            );
            await Tenant.WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => Statuses.Condition(r, "Accepted") is { Status: "False" },
                "is rejected"
            );
            await Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"my-gateway"}]}}""");
            await Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        }

        await Tenant.DeleteAsync<V1EndpointSlice>("default", "unselected-1");
        await Eventually.HoldsAsync(
            async () =>
                (await Tenant.ListAsync<V1EndpointSlice>("default")).All(s =>
                    s.Metadata.Labels?["kubernetes.io/service-name"] != "unselected-nodeport"
                ),
            "its mirror is gone"
        );
        await Tenant.DeleteAsync<GrpcRoute>("default", "grpc-route");
        await Tenant.DeleteAsync<HttpRoute>("default", "api-route");
    }

    // With the Role without Go compatibility.
    private async Task ChangeCertificateAsync()
    {
        var before = (await Management.ListAsync<SyncSecret>("tenant-t1")).Single(s => s.Type == "kubernetes.io/tls");
        var other = new TlsPair("www.example.com").Secret("certificate");
        await Tenant.PatchAsync<V1Secret>("default", "certificate", ApiJson.ToJson(new { other.Data }).ToJsonString());
        await Management.WaitAsync<SyncSecret>(
            "tenant-t1",
            before.Metadata.Name,
            s => s.Metadata.Generation > before.Metadata.Generation || s.Metadata.ResourceVersion != before.Metadata.ResourceVersion,
            "is updated"
        );
        await Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}"""
        );
        await Management.WaitGoneAsync<SyncSecret>("tenant-t1", before.Metadata.Name);
    }

    private async Task WaitForAnyAsync<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        await Eventually.GetAsync($"a {typeof(T).Name} is generated", () => Management.ListAsync<T>("tenant-t1"), found => found.Count > 0);

    private async Task RemoveLabelAsync<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var found in (await Management.ListAsync<T>("tenant-t1")).Where(IsGenerated))
        {
            await Management.PatchAsync<T>("tenant-t1", found.Name(), Unlabelled);
        }

        await Eventually.HoldsAsync(
            async () => (await Management.ListAsync<T>("tenant-t1")).Any(IsGenerated),
            $"each {typeof(T).Name} has its label again"
        );
    }

    private static bool IsGenerated(IMetadata<V1ObjectMeta> value) =>
        value.Metadata.Labels?.ContainsKey("kubelb.k8c.io/managed-by") == true;

    private static async Task WaitForUseAsync(
        string component,
        IReadOnlyCollection<string> permissions,
        Sandbox.Composition.ISandboxCluster cluster
    ) =>
        await Eventually.GetAsync(
            $"every permission of {component} is used",
            () => Task.FromResult(permissions.Except(Used(((ITestCluster)cluster).Requests(), component)).ToList()),
            unused => unused.Count == 0,
            unused => "not used: " + string.Join(", ", unused)
        );

    // The applier reads an object only if its creation is answered with AlreadyExists, or a write of its status with NotFound.
    private static HashSet<string> Used(IReadOnlyList<RequestRecord> requests, string component)
    {
        var used = requests
            .Where(r => r.UserAgent.StartsWith(component, StringComparison.Ordinal) && r.StatusCode != 403 && r.Resource.Length > 0)
            .Select(r => (r.Verb, Resource: r.Resource + (r.Subresource.Length > 0 ? "/" : "") + r.Subresource, r.Group))
            .ToHashSet();
        var read = used.Where(u => u.Verb == "create" || (u.Verb == "patch" && u.Resource.EndsWith("/status", StringComparison.Ordinal)))
            .Select(u => ("get", u.Resource.Split('/')[0], u.Group))
            .ToList();
        used.UnionWith(read);

        return [.. used.Select(u => $"{u.Verb} {u.Resource} of {u.Group}"), .. OnlyOnOtherServers];
    }

    private static List<string> Permissions(string file) =>
        [.. new[] { ("ClusterRole", ""), ("Role", "") }.SelectMany(kind => RoleRules(RulesOf(file, kind.Item1, null))).Distinct()];

    private static List<(IList<string> Groups, IList<string> Resources, IList<string> Verbs)> RulesOf(
        string file,
        string kind,
        string? name
    ) =>
        [
            .. Yaml.Read(File.ReadAllText(Path.Combine(SourceTree.Root, "deploy", file == "ccm.yaml" ? "ccm" : "manager", "base", file)))
                .Where(o =>
                    (string?)o["kind"] == kind
                    && (name is null ? (string?)o["metadata"]!["name"] != "kubelb-manager-grants" : (string?)o["metadata"]!["name"] == name)
                )
                .SelectMany(o => o["rules"]!.AsArray())
                .Select(r => (Texts(r!["apiGroups"]), Texts(r["resources"]), Texts(r["verbs"]))),
        ];

    private static IList<string> Texts(JsonNode? array) => [.. array!.AsArray().Select(v => (string)v!)];
}
