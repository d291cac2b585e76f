using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The watched clusters of a dashboard.</summary>
internal sealed class DashboardClusters
{
    private static readonly NoObjects NoTenant = new("no kubeconfig of the tenant cluster (--kubeconfig)");
    private static readonly NoObjects NoManagement = new("no kubeconfig of the management cluster (--management-kubeconfig)");

    private DashboardClusters(Cluster? management, string? onlyTenant, IReadOnlyList<WatchedTenant> tenants)
    {
        Management = management is null
            ? null
            : new WatchedObjects(management, ClusterConnections.ManagementCluster, onlyTenant, "--tenant");
        ManagementCluster = management;
        Tenants = tenants;
    }

    /// <summary>The management cluster; null without a kubeconfig.</summary>
    public WatchedObjects? Management { get; }

    /// <summary>The connection to <see cref="Management"/>.</summary>
    public Cluster? ManagementCluster { get; }

    /// <summary>The tenants' clusters that can be read.</summary>
    public IReadOnlyList<WatchedTenant> Tenants { get; }

    /// <summary>The management cluster for traces.</summary>
    public IObjects ManagementObjects => Management is null ? NoManagement : Management;

    /// <summary>Registers the clusters and their informers.</summary>
    public static void Register(IServiceCollection services, DashboardOptions options)
    {
        var names = options.Tenants.Select(t => NameOf(t, options.Tenants.Count)).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            var tenant = options.Tenants[i];
            services.AddCluster(names[i], _ => tenant.Connection, cluster => WatchedKinds.AddTenant(cluster, tenant.OnlyNamespace));
        }

        if (options.Management is { } management)
        {
            services.AddCluster(
                ClusterConnections.ManagementCluster,
                _ => management,
                cluster => WatchedKinds.AddManagement(cluster, options.Settings)
            );
        }

        services.AddSingleton(provider => new DashboardClusters(
            options.Management is null ? null : provider.GetRequiredKeyedService<Cluster>(ClusterConnections.ManagementCluster),
            options.Settings.TenantNamespace,
            [
                .. names.Select(
                    (name, i) =>
                        new WatchedTenant(
                            provider.GetRequiredKeyedService<Cluster>(name),
                            options.Tenants[i].TenantNamespace ?? options.Settings.TenantNamespace,
                            options.Tenants[i].OnlyNamespace
                        )
                ),
            ]
        ));
    }

    /// <summary>The cluster of a tenant; null if it cannot be read.</summary>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster; null if it is not known.</param>
    public WatchedTenant? TenantOf(string? tenantNamespace) =>
        Tenants.FirstOrDefault(t => t.Namespace is not null && t.Namespace == tenantNamespace)
        // A cluster whose tenant is not known may be that of another tenant.
        ?? (
            Tenants.Count == 1 && (tenantNamespace is null || (Tenants[0].Namespace is null && ManagementCluster is null))
                ? Tenants[0]
                : null
        );

    /// <summary>The cluster of a tenant for traces.</summary>
    public IObjects TenantObjects(string? tenantNamespace) =>
        TenantOf(tenantNamespace)?.Objects
        ?? (IObjects)(
            Tenants.Count == 0 || tenantNamespace is null
                ? NoTenant
                : new NoObjects($"no kubeconfig of the cluster of tenant {TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace}")
        );

    /// <summary>What cannot be read at the moment, each once.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string?>();
        foreach (var tenant in Tenants)
        {
            Add<Gateway>(tenant.Objects);
            Add<HttpRoute>(tenant.Objects);
            Add<GrpcRoute>(tenant.Objects);
            Add<GatewayClass>(tenant.Objects);
            Add<ReferenceGrant>(tenant.Objects);
            Add<V1Namespace>(tenant.Objects);
            Add<V1Service>(tenant.Objects);
            Add<V1EndpointSlice>(tenant.Objects);
        }

        if (Management is { } management)
        {
            Add<Route>(management);
            Add<Tenant>(management);
            Add<Config>(management);
            Add<Addresses>(management);
            Add<Gateway>(management);
            Add<HttpRoute>(management);
            Add<GrpcRoute>(management);
            Add<V1Service>(management);
            Add<V1Pod>(management);
        }
        else
        {
            problems.Add("no kubeconfig of the management cluster (--management-kubeconfig): its part of the path is not shown");
        }

        return [.. problems.OfType<string>().Distinct(StringComparer.Ordinal)];

        void Add<T>(WatchedObjects objects)
            where T : class, IKubernetesObject<V1ObjectMeta> => problems.Add(objects.Error<T>());
    }

    private static string NameOf(DashboardTenant tenant, int count) =>
        count == 1 || tenant.TenantNamespace is null
            ? ClusterConnections.TenantCluster
            : $"cluster of tenant {TenantNames.TenantOf(tenant.TenantNamespace) ?? tenant.TenantNamespace}";
}

/// <summary>A watched cluster of a tenant.</summary>
internal sealed class WatchedTenant(Cluster cluster, string? @namespace, string? only)
{
    private volatile string? _namespace = @namespace;

    /// <summary>The connection.</summary>
    public Cluster Cluster { get; } = cluster;

    /// <summary>Its objects.</summary>
    public WatchedObjects Objects { get; } = new(cluster, cluster.Name, only, "--namespace");

    /// <summary>The tenant's namespace in the management cluster; null while it is not known.</summary>
    public string? Namespace
    {
        get => _namespace;
        set => _namespace = value;
    }
}
