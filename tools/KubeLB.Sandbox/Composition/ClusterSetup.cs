using System.Reflection;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Sandbox.EnvoyGateway;

namespace KubeLB.Sandbox.Composition;

/// <summary>Prerequisites that an administrator creates in the clusters.</summary>
internal static class ClusterSetup
{
    /// <summary>Namespace of the manager, and of a CCM in its tenant's cluster.</summary>
    public const string ManagerNamespace = "kubelb";

    /// <summary>Server name in the manager's xDS certificate.</summary>
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
        await CreateNamespaceAsync(client, GatewayService.Namespace, cancellationToken).ConfigureAwait(false);
        var config = new Config
        {
            Metadata = { Name = Config.DefaultName, NamespaceProperty = ManagerNamespace },
            Spec = new ConfigSpec
            {
                ApiServerURL = cluster.Url.GetLeftPart(UriPartial.Authority),

                // Simulated nodes have these addresses; in production they reach the proxy itself, so they are not allowed.
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

/// <summary>The CustomResourceDefinitions that the sandbox installs.</summary>
internal static class CrdResources
{
    private const string Folder = "Crds/";
    private const string SyncSecrets = "kubelb.k8c.io_syncsecrets.yaml";
    private const string GatewayApiGroup = "gateway.networking.k8s.io_";

    /// <summary>CustomResourceDefinitions of a management cluster: all.</summary>
    public static IEnumerable<string> Management => Read(_ => true);

    /// <summary>CustomResourceDefinitions of a tenant cluster: Gateway API and SyncSecret.</summary>
    public static IEnumerable<string> Tenant =>
        Read(name => name == SyncSecrets || name.StartsWith(GatewayApiGroup, StringComparison.Ordinal));

    private static IEnumerable<string> Read(Func<string, bool> desired)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var resources = assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal));
        foreach (var resource in resources.Order(StringComparer.Ordinal))
        {
            if (desired(resource[Folder.Length..]))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                yield return reader.ReadToEnd();
            }
        }
    }
}
