using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Pods;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>A running sandbox with real Envoys; none where there is no binary.</summary>
public class EnvoySandboxFixture : SandboxFixture
{
    private protected override SandboxOptions Configure(SandboxOptions options) => options with { Envoy = EnvoyBinary.Require() };
}

/// <summary>Two tenants with two Envoys each, which end fast.</summary>
public class TwoEnvoyTenantsFixture : EnvoySandboxFixture, IAsyncLifetime
{
    /// <summary>What each tenant has: a Gateway, a route and a pod behind it.</summary>
    public const string Manifest = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: web, namespace: default}
        spec:
          gatewayClassName: kubelb
          listeners:
            - {name: http, protocol: HTTP, port: 80}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: web, namespace: default}
        spec:
          parentRefs: [{name: web}]
          rules:
            - backendRefs: [{name: web, port: 80}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: default}
        spec:
          selector: {app: web}
          ports: [{port: 80, targetPort: 8080}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: default}
        spec:
          selector: {matchLabels: {app: web} }
          template:
            metadata: {labels: {app: web} }
            spec:
              containers:
                - {name: main, image: anything, ports: [{containerPort: 8080}] }
        """;

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        if (Missing is not null)
        {
            return;
        }

        var settings = JsonNode.Parse(
            """{"spec":{"envoyProxy":{"replicas":2,"gracefulShutdown":{"minDrainDuration":"1s","drainTimeout":"5s"}}}}"""
        )!;
        await Management.CustomObjects.PatchNamespacedCustomObjectAsync(
            new V1Patch(settings.ToJsonString(), V1Patch.PatchType.MergePatch),
            "kubelb.k8c.io",
            "v1alpha1",
            "kubelb",
            "configs",
            "default"
        );
        foreach (var tenant in Sandbox.Tenants)
        {
            using var client = tenant.Cluster.CreateClient("test");
            await ApplyAsync(Manifest, client);
        }
    }

    private protected override SandboxOptions Configure(SandboxOptions options) => base.Configure(options) with { Tenants = 2 };

    /// <summary>The ready pods of a tenant's proxies.</summary>
    internal async Task<IReadOnlyList<V1Pod>> PodsAsync(string ns, int count = 2) =>
        await EventuallyAsync(
            async () =>
            {
                var pods = (await Management.CoreV1.ListNamespacedPodAsync(ns)).Items;
                return pods.Count == count && pods.All(p => p.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true)
                    ? (IReadOnlyList<V1Pod>)[.. pods]
                    : null;
            },
            $"{count} proxies are ready in {ns}"
        );

    /// <summary>The answer of a pod of a tenant to a request through the tenant's Gateway.</summary>
    internal async Task<EchoedRequest> AskAsync(TenantCluster tenant)
    {
        using var client = tenant.Cluster.CreateClient("test");
        var address = await EventuallyAsync(
            async () => (string?)(await GatewayApiAsync("gateways", "web", client))["status"]?["addresses"]?[0]?["value"],
            "the Gateway has an address"
        );
        return await EchoAsync(address, "any.example.com");
    }
}

/// <summary>The same without network namespaces, as where this process may not make them.</summary>
public sealed class LoopbackEnvoysFixture : TwoEnvoyTenantsFixture
{
    private protected override SandboxOptions Configure(SandboxOptions options) =>
        base.Configure(options) with
        {
            OnlyLoopbackProxies = true,
        };
}
