namespace KubeLB.Manager.Hosting;

/// <summary>How long the manager delays what it does, all in one place. docs/delays.md has the same table, with the reasons.</summary>
internal static class Delays
{
    /// <summary>
    /// Until a status is written that only waits for Envoy Gateway's answer. It comes within milliseconds as a rule, within seconds under
    /// load.
    /// </summary>
    public static readonly TimeSpan StatusAnswer = TimeSpan.FromSeconds(2);

    /// <summary>Until a status is written in which only counts of attached routes changed.</summary>
    public static readonly TimeSpan StatusCounts = TimeSpan.FromMilliseconds(250);

    /// <summary>How long Services that a route no longer refers to stay after Envoy Gateway has seen the change.</summary>
    public static readonly TimeSpan ServiceDrain = TimeSpan.FromSeconds(5);

    /// <summary>How long they stay while Envoy Gateway does not answer.</summary>
    public static readonly TimeSpan ServiceDrainWithoutAnswer = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long what was generated from a deleted Route stays for a Route of the same object, which was deleted and created again.
    /// </summary>
    public static readonly TimeSpan Replacement = TimeSpan.FromSeconds(1);

    /// <summary>How long it stays for such a Route that does not take it over, because it is rejected for example.</summary>
    public static readonly TimeSpan Inheritance = TimeSpan.FromSeconds(30);

    /// <summary>Between attempts at a Route that others must make room for: a port, a name, a quota.</summary>
    public static readonly TimeSpan RouteRetry = TimeSpan.FromSeconds(30);

    /// <summary>How long a route waits for proxies that do not acknowledge its new backends.</summary>
    public static readonly TimeSpan Acknowledgement = TimeSpan.FromSeconds(15);

    /// <summary>Until the proxies of a tenant without routes are removed.</summary>
    public static readonly TimeSpan ProxyRemoval = TimeSpan.FromSeconds(5);

    /// <summary>Until proxies of which none is available are reported.</summary>
    public static readonly TimeSpan ProxyStart = TimeSpan.FromSeconds(30);

    /// <summary>How long a rollout of proxies may make no progress.</summary>
    public static readonly TimeSpan ProxyRollout = TimeSpan.FromMinutes(10);

    /// <summary>Between looks for a free slot of rollouts.</summary>
    public static readonly TimeSpan ProxyRolloutSlot = TimeSpan.FromSeconds(15);

    /// <summary>Between looks for the definition of PodMonitors.</summary>
    public static readonly TimeSpan PodMonitor = TimeSpan.FromMinutes(1);

    /// <summary>Between two Events of one kind about a tenant's xDS streams.</summary>
    public static readonly TimeSpan ProxyEvent = TimeSpan.FromMinutes(5);
}
