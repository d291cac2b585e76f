using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd;

/// <summary>
/// Records what this version writes, for the tests of later versions: <c>KUBELB_RECORD=v0.2 dotnet test tests/KubeLB.EndToEnd --filter
/// Recording</c> makes <c>testdata/recorded/v0.2</c>. A recording of an earlier version is never changed.
/// </summary>
public sealed class RecordingTests
{
    private const string Variable = "KUBELB_RECORD";
    private const string Ns = "tenant-t1";

    private const string Manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: my-gateway, namespace: default, labels: {team: web}}
        spec:
          gatewayClassName: kubelb
          listeners:
          - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
          - name: https
            port: 443
            protocol: HTTPS
            hostname: '*.example.com'
            tls: {certificateRefs: [{name: web}]}
            allowedRoutes: {namespaces: {from: All}}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata:
          name: api-route
          namespace: default
          labels: {team: web}
          annotations: {gateway.envoyproxy.io/retry-on: '5xx,reset', gateway.envoyproxy.io/num-retries: '3', example.com/note: hello}
        spec:
          parentRefs: [{name: my-gateway}]
          hostnames: [api.example.com]
          rules:
          - matches: [{path: {type: PathPrefix, value: /}}]
            filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-request, value: '%REQ(X-REQUEST-ID)%'}]}}]
            backendRefs: [{name: api-backend, port: 8080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: cart, namespace: shop}
        spec: {selector: {app: api}, ports: [{name: grpc, port: 9000, targetPort: 8080, appProtocol: kubernetes.io/h2c}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata: {name: cart, namespace: shop}
        spec:
          parentRefs: [{name: my-gateway, namespace: default, sectionName: http}]
          hostnames: [cart.example.com]
          rules: [{backendRefs: [{name: cart, port: 9000}]}]
        """;

    private static readonly string[] OfTenants = ["Service", "Deployment", "Gateway", "HTTPRoute", "GRPCRoute", "Secret"];

    private static readonly string[] OfManagement =
    [
        "TenantState",
        "Addresses",
        "SyncSecret",
        "Route",
        "Gateway",
        "HTTPRoute",
        "GRPCRoute",
        "BackendTrafficPolicy",
        "Service",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Deployment",
        "PodDisruptionBudget",
        "Secret",
    ];

    [Fact]
    public async Task Objects_of_this_version_are_recorded()
    {
        var version = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(version), $"{Variable} does not name the version to record");
        Directory.Exists(Path.Combine(RecordedState.Folder, version)).Should().BeFalse("a recording is made once");
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ConfigureProxiesAsync("""{"replicas":2,"image":"example.com/envoy:v1.36.4"}""");
        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(pair.Secret("web"));
        await fixture.Tenant.ApplyAsync(string.Join("\n---\n", Documents.Backend, Documents.Deployment, Manifests));
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.Tenant.WaitAsync<GrpcRoute>(
            "shop",
            "cart",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await fixture.Management.WaitAsync<Addresses>(Ns, "default", a => a.Status?.Conditions is { Count: > 0 }, "has a status");
        await fixture.SettleAsync();

        var recording = RecordedState.Of(version);
        using var tenant = new RawObjects((ITestCluster)fixture.Sandbox.Tenants[0].Cluster);
        recording.Save(
            "tenant",
            [
                (await tenant.GetAsync("Namespace", "", "kube-system"))!,
                (await tenant.GetAsync("Namespace", "", "shop"))!,
                .. await AllAsync(tenant, OfTenants, "default", "shop"),
            ]
        );
        using var management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
        recording.Save(
            "management",
            [
                .. await AllAsync(management, ["Config"], "kubelb"),
                .. await AllAsync(management, ["Tenant"], ""),
                (await management.GetAsync("Namespace", "", Ns))!,
                .. await AllAsync(management, OfManagement, Ns),
            ]
        );
    }

    private static async Task<IReadOnlyList<JsonObject>> AllAsync(RawObjects cluster, string[] kinds, params string[] namespaces)
    {
        var found = new List<JsonObject>();
        foreach (var (kind, @namespace) in kinds.SelectMany(kind => namespaces.Select(@namespace => (kind, @namespace))))
        {
            found.AddRange((await cluster.ListAsync(kind, @namespace)).Where(IsRecorded).Select(WithoutSecrets));
        }

        return found;
    }

    // Tokens, kubeconfigs and the keys of xDS are not recorded.
    private static bool IsRecorded(JsonObject value) =>
        value["kind"]!.GetValue<string>() switch
        {
            "Secret" => value["type"]!.GetValue<string>() == "kubernetes.io/tls"
                && value["metadata"]!["name"]!.GetValue<string>() != "envoy-xds-client",
            "Service" => value["metadata"]!["name"]!.GetValue<string>() != "kubernetes",
            "ServiceAccount" => value["metadata"]!["name"]!.GetValue<string>() != "default",
            _ => true,
        };

    private static JsonObject WithoutSecrets(JsonObject value)
    {
        value["metadata"]!["annotations"]?.AsObject().Remove("kubectl.kubernetes.io/last-applied-configuration");
        if (value["kind"]!.GetValue<string>() is "Secret" or "SyncSecret" && value["data"] is JsonObject data)
        {
            data["tls.crt"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(RecordedState.CertificateMark));
            data["tls.key"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(RecordedState.KeyMark));
        }

        return value;
    }
}
