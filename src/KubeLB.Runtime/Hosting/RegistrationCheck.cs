namespace KubeLB.Runtime.Hosting;

/// <summary>Checks registrations against each other before anything starts.</summary>
internal static class RegistrationCheck
{
    /// <exception cref="InvalidOperationException">Something does not fit; the message lists everything at once.</exception>
    public static void ThrowIfInvalid(
        KubeRuntimeOptions options,
        RegisteredClusters clusters,
        IReadOnlyCollection<ControllerRegistration> controllers
    )
    {
        var problems = new List<string>();
        if (options.LeaderElection is { } election && clusters.Find(election.Cluster) is null)
        {
            problems.Add($"Leader election names cluster \"{election.Cluster}\", which is not registered with AddCluster.");
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
                problems.Add($"Controller \"{controller.Name}\" has {controller.Settings.Workers} workers; it needs at least one.");
            }

            if (controller.Settings.Watches.Count == 0)
            {
                problems.Add($"Controller \"{controller.Name}\" watches nothing and would never run; add a Watch.");
            }

            foreach (var need in controller.Settings.Needs)
            {
                if (clusters.Find(need.Cluster) is not { } cluster)
                {
                    problems.Add(
                        $"Controller \"{controller.Name}\" watches cluster \"{need.Cluster}\", which is not registered with AddCluster."
                    );
                }
                else if (cluster.FindInformer(need.Kind) is null)
                {
                    problems.Add(
                        $"Controller \"{controller.Name}\" watches {need.Kind} in cluster \"{need.Cluster}\", which has no informer "
                            + "for it; register it in AddCluster."
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
