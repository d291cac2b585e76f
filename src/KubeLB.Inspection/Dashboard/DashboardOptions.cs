using System.Net;
using k8s;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>What the page shows, and where it is served.</summary>
public sealed record DashboardOptions
{
    /// <summary>Port on 127.0.0.1; 0 for a free one.</summary>
    public int Port { get; init; }

    /// <summary>The connection to the management cluster, which the dashboard disposes; null for none.</summary>
    public IKubernetes? Management { get; init; }

    /// <summary>The tenants' clusters that can be read.</summary>
    public IReadOnlyList<DashboardTenant> Tenants { get; init; } = [];

    /// <summary>
    /// Namespaces of the installation. With a tenant's namespace, only the objects of that tenant are read in the management cluster, for
    /// which its user may have permissions.
    /// </summary>
    public TraceSettings Settings { get; init; } = new();

    /// <summary>Where a port of a Gateway's address is served, if that is elsewhere: in a sandbox. Null for the address itself.</summary>
    public Func<IPAddress, int, IPEndPoint?>? ResolveGateway { get; init; }

    /// <summary>URL of the manager's probes; null to leave out what the proxies have acknowledged.</summary>
    public Uri? ManagerDebug { get; init; }

    /// <summary>
    /// Time between heartbeats of a page, at which states that depend on the clock are computed again, and at least between two readings of
    /// a tenant's metrics.
    /// </summary>
    internal TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>The cluster of a tenant.</summary>
/// <param name="Connection">The connection, which the dashboard disposes.</param>
/// <param name="TenantNamespace">The tenant's namespace in the management cluster; null to find it from the Routes.</param>
public sealed record DashboardTenant(IKubernetes Connection, string? TenantNamespace)
{
    /// <summary>The only namespace of the cluster to read, for a user without permissions in the others; null for all.</summary>
    public string? OnlyNamespace { get; init; }
}
