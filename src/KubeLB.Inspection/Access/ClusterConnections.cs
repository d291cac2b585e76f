using k8s;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Inspection.Access;

/// <summary>The connections of a user to the two clusters, without controllers and caches.</summary>
public sealed class ClusterConnections : IAsyncDisposable
{
    /// <summary>Name of the tenant's cluster in messages.</summary>
    public const string TenantCluster = "tenant cluster";

    /// <summary>Name of the management cluster in messages.</summary>
    public const string ManagementCluster = "management cluster";

    private readonly ServiceProvider _services;

    private ClusterConnections(ServiceProvider services, bool hasTenant, bool hasManagement)
    {
        _services = services;
        Tenant = hasTenant ? services.GetRequiredKeyedService<Cluster>(TenantCluster) : null;
        Management = hasManagement ? services.GetRequiredKeyedService<Cluster>(ManagementCluster) : null;
    }

    /// <summary>The tenant's cluster; null without a kubeconfig.</summary>
    public Cluster? Tenant { get; }

    /// <summary>The management cluster; null without a kubeconfig.</summary>
    public Cluster? Management { get; }

    /// <summary>Connects, without sending a request.</summary>
    /// <param name="tenant">The configuration of the tenant's cluster; null for none.</param>
    /// <param name="management">The configuration of the management cluster; null for none.</param>
    public static ClusterConnections Open(KubernetesClientConfiguration? tenant, KubernetesClientConfiguration? management) =>
        Open(tenant is null ? null : new Kubernetes(tenant), management is null ? null : (IKubernetes)new Kubernetes(management));

    /// <summary>Uses existing connections.</summary>
    /// <param name="tenant">The connection to the tenant's cluster; null for none.</param>
    /// <param name="management">The connection to the management cluster; null for none.</param>
    public static ClusterConnections Open(IKubernetes? tenant, IKubernetes? management)
    {
        var services = new ServiceCollection();
        services.AddKubeRuntime(runtime =>
        {
            runtime.FieldManager = "kubelb";
            runtime.MetricsAddress = "";
            runtime.ProbeAddress = "";
        });
        Add(TenantCluster, tenant);
        Add(ManagementCluster, management);
        return new ClusterConnections(services.BuildServiceProvider(), tenant is not null, management is not null);

        void Add(string name, IKubernetes? connection)
        {
            if (connection is not null)
            {
                services.AddCluster(name, _ => connection, _ => { });
            }
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
