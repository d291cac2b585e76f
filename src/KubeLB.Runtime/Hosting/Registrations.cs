using k8s;
using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Hosting;

/// <summary>A registered cluster.</summary>
internal sealed record ClusterRegistration(string Name, Func<IServiceProvider, IKubernetes> Connect);

/// <summary>A configuration of the informers of a cluster; a cluster can have several.</summary>
internal sealed record ClusterConfiguration(string Name, Action<ClusterBuilder> Configure);

/// <summary>A registered controller.</summary>
internal sealed record ControllerRegistration(string Name, Type Reconciler, ControllerBuilder Settings);

/// <summary>The clusters of a host.</summary>
internal sealed class RegisteredClusters(IServiceProvider services, IEnumerable<ClusterRegistration> registrations)
{
    public IReadOnlyList<Cluster> All { get; } =
    [.. registrations.Select(registration => services.GetRequiredKeyedService<Cluster>(registration.Name))];

    public Cluster? Find(string name) => All.FirstOrDefault(cluster => cluster.Name == name);
}

/// <summary>Validates the registrations before the start.</summary>
internal static class RegistrationValidator
{
    /// <exception cref="InvalidOperationException">A registration is invalid; the message lists all errors.</exception>
    public static void ThrowIfInvalid(
        KubeRuntimeOptions options,
        RegisteredClusters clusters,
        IReadOnlyCollection<ControllerRegistration> controllers
    )
    {
        var problems = new List<string>();
        if (options.LeaderElection is { } election && clusters.Find(election.Cluster) is null)
        {
            problems.Add($"Leader election uses cluster \"{election.Cluster}\", which is not registered; add it with AddCluster.");
        }

        if (options.MetricsSecurity is { } security && clusters.Find(security.Cluster) is null)
        {
            problems.Add($"MetricsSecurity uses cluster \"{security.Cluster}\", which is not registered; add it with AddCluster.");
        }

        problems.AddRange(
            controllers
                .GroupBy(controller => controller.Name)
                .Where(group => group.Count() > 1)
                .Select(group => $"Controller \"{group.Key}\" is registered {group.Count()} times; names must be unique.")
        );

        foreach (var controller in controllers)
        {
            if (controller.Settings.Workers < 1)
            {
                problems.Add($"Controller \"{controller.Name}\" has {controller.Settings.Workers} workers; at least one is required.");
            }

            if (controller.Settings.Watches.Count == 0)
            {
                problems.Add($"Controller \"{controller.Name}\" has no watch and would never reconcile; add a Watch.");
            }

            foreach (var (name, kind) in controller.Settings.RequiredKinds)
            {
                if (clusters.Find(name) is not { } cluster)
                {
                    problems.Add(
                        $"Controller \"{controller.Name}\" requires cluster \"{name}\", which is not registered; add it with AddCluster."
                    );
                }
                else if (cluster.FindInformer(kind) is null)
                {
                    problems.Add(
                        $"Controller \"{controller.Name}\" requires {kind} in cluster \"{name}\", which has no informer for it; register "
                            + "one in AddCluster or ConfigureCluster."
                    );
                }
            }
        }

        if (problems.Count > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, problems));
        }
    }
}
