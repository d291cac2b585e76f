using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Sandbox.Clusters;

namespace KubeLB.Sandbox.Composition;

/// <summary>What an administrator prepares in the clusters.</summary>
internal static class ClusterSetup
{
    /// <summary>Namespace of the manager, and of a CCM in its tenant's cluster.</summary>
    public const string ManagerNamespace = "kubelb";

    /// <summary>What the manager's xDS certificate calls it.</summary>
    public const string XdsServerName = $"envoycp.{ManagerNamespace}.svc";

    /// <summary>Prepares a management cluster.</summary>
    public static async Task PrepareManagementAsync(
        ISandboxCluster cluster,
        IEnumerable<string> tenants,
        CancellationToken cancellationToken
    )
    {
        await cluster.InstallCrdsAsync(CrdResources.Management, cancellationToken).ConfigureAwait(false);
        using var client = cluster.CreateClient("kubelb-sandbox");
        await CreateNamespaceAsync(client, ManagerNamespace, cancellationToken).ConfigureAwait(false);
        await CreateNamespaceAsync(client, "envoy-gateway-system", cancellationToken).ConfigureAwait(false);
        var config = new Config
        {
            Metadata = { Name = Config.DefaultName, NamespaceProperty = ManagerNamespace },
            Spec = new ConfigSpec
            {
                ApiServerURL = cluster.Url.GetLeftPart(UriPartial.Authority),

                // The simulated nodes live there; in production these addresses are the proxies' own.
                Addresses = new AddressSettings { Allow = ["127.0.0.0/8"] },
            },
        };
        await client
            .CustomObjects.CreateNamespacedCustomObjectAsync(
                config,
                Api.ApiGroups.Kubelb,
                KubelbVersion.Name,
                ManagerNamespace,
                Config.PluralName,
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
        foreach (var name in tenants)
        {
            var tenant = new Tenant { Metadata = { Name = name }, Spec = new TenantSpec() };
            await client
                .CustomObjects.CreateClusterCustomObjectAsync(
                    tenant,
                    Api.ApiGroups.Kubelb,
                    KubelbVersion.Name,
                    Tenant.PluralName,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    /// <summary>Prepares a tenant's cluster.</summary>
    public static async Task PrepareTenantAsync(ISandboxCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.InstallCrdsAsync(CrdResources.Tenant, cancellationToken).ConfigureAwait(false);
        using var client = cluster.CreateClient("kubelb-sandbox");
        await CreateNamespaceAsync(client, ManagerNamespace, cancellationToken).ConfigureAwait(false);
        var gatewayClass = new GatewayClass
        {
            Metadata = { Name = GatewayClass.KubelbName },
            Spec = new GatewayClassSpec { ControllerName = GatewayClass.KubelbController },
        };
        await client
            .CustomObjects.CreateClusterCustomObjectAsync(
                gatewayClass,
                Api.ApiGroups.GatewayApi,
                GatewayApiVersion.V1,
                GatewayClass.PluralName,
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
    }

    private static Task<V1Namespace> CreateNamespaceAsync(IKubernetes client, string name, CancellationToken cancellationToken) =>
        client.CoreV1.CreateNamespaceAsync(
            new V1Namespace { Metadata = new V1ObjectMeta { Name = name } },
            cancellationToken: cancellationToken
        );
}
