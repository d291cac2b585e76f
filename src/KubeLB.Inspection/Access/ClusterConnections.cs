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

    // More rounds than look-ups that depend on one another.
    private const int MaxRounds = 20;

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

    /// <summary>Uses connections, without sending a request. They are disposed with this object.</summary>
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

    /// <summary>
    /// Evaluates a pure function of the objects of both clusters: repeats it until it has looked up nothing that was not read.
    /// </summary>
    /// <param name="evaluate">The function; its arguments are the tenant's and the management cluster.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public async Task<T> EvaluateAsync<T>(Func<IObjects, IObjects, T> evaluate, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        var tenant = Tenant is null ? null : new ClusterObjects(Tenant, TenantCluster);
        var management = Management is null ? null : new ClusterObjects(Management, ManagementCluster);
        IObjects tenantObjects = tenant is null ? new NoObjects($"no kubeconfig of the {TenantCluster} (--kubeconfig)") : tenant;
        IObjects managementObjects = management is null
            ? new NoObjects($"no kubeconfig of the {ManagementCluster} (--management-kubeconfig)")
            : management;
        for (var round = 0; ; round++)
        {
            // An exception is final only if everything was read.
            var result = Attempt(() => evaluate(tenantObjects, managementObjects));
            var reads = await Task.WhenAll(
                    tenant?.ReadMissingAsync(cancellationToken) ?? Task.FromResult(false),
                    management?.ReadMissingAsync(cancellationToken) ?? Task.FromResult(false)
                )
                .ConfigureAwait(false);
            if (!reads.Contains(true) || round == MaxRounds)
            {
                return await result.ConfigureAwait(false);
            }
        }
    }

    /// <summary>Requests the version of each API server.</summary>
    /// <returns>For each cluster why it does not respond; null if it does.</returns>
    public async Task<IReadOnlyList<(string Cluster, string? Problem)>> CheckConnectionsAsync(CancellationToken cancellationToken)
    {
        var results = new List<(string, string?)>();
        foreach (var (name, cluster) in new[] { (ManagementCluster, Management), (TenantCluster, Tenant) })
        {
            if (cluster is not null)
            {
                results.Add((name, await cluster.CheckConnectionAsync(cancellationToken).ConfigureAwait(false)));
            }
        }

        return results;
    }

    private static Task<T> Attempt<T>(Func<T> evaluate)
    {
        try
        {
            return Task.FromResult(evaluate());
        }
        catch (InspectionException e)
        {
            return Task.FromException<T>(e);
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

/// <summary>An object cannot be inspected; the message is one sentence with a remedy.</summary>
public sealed class InspectionException(string message) : Exception(message);
