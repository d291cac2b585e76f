using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Hosting;

/// <summary>All clusters of a host.</summary>
internal sealed class RegisteredClusters(IServiceProvider services, IEnumerable<ClusterRegistration> registrations)
{
    public IReadOnlyList<Cluster> All { get; } =
    [.. registrations.Select(registration => services.GetRequiredKeyedService<Cluster>(registration.Name))];

    public Cluster? Find(string name) => All.FirstOrDefault(cluster => cluster.Name == name);
}
