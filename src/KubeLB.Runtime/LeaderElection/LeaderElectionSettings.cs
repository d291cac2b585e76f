namespace KubeLB.Runtime.LeaderElection;

/// <summary>Where and how to elect one writer among several replicas, with a Lease of <c>coordination.k8s.io/v1</c>.</summary>
/// <param name="Cluster">Name of the registered cluster that holds the Lease.</param>
/// <param name="Namespace">Namespace of the Lease.</param>
/// <param name="LeaseName">Name of the Lease.</param>
/// <param name="Identity">What tells this replica from the others, for example the pod's name and a random suffix.</param>
public sealed record LeaderElectionSettings(string Cluster, string Namespace, string LeaseName, string Identity)
{
    /// <summary>
    /// How long others wait after the last renewal that they saw before they take over. Default 15 seconds: with two retry periods, after
    /// which the renewal is seen and its end noticed, a leader that dies is replaced within 19.
    /// </summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a leader works on after its last renewal before it gives up; no write leaves it later. Less than
    /// <see cref="LeaseDuration"/>, by as much as a write may be in progress. Default 10 seconds.
    /// </summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two attempts. Less than <see cref="RenewDeadline"/>. Default 2 seconds.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    internal IEnumerable<string> Problems()
    {
        if (
            string.IsNullOrWhiteSpace(Cluster)
            || string.IsNullOrWhiteSpace(Namespace)
            || string.IsNullOrWhiteSpace(LeaseName)
            || string.IsNullOrWhiteSpace(Identity)
        )
        {
            yield return "Leader election needs a cluster, a namespace, a lease name and an identity; set all four.";
        }

        if (RetryPeriod <= TimeSpan.Zero || RenewDeadline <= RetryPeriod || LeaseDuration <= RenewDeadline)
        {
            yield return $"Leader election needs retry period < renew deadline < lease duration, but they are {RetryPeriod.TotalSeconds} s, "
                + $"{RenewDeadline.TotalSeconds} s and {LeaseDuration.TotalSeconds} s.";
        }

        if (LeaseDuration < TimeSpan.FromSeconds(1))
        {
            yield return "The lease duration must be at least 1 s: a Lease stores whole seconds.";
        }
    }
}
