namespace KubeLB.Manager.Hosting;

/// <summary>Delays of the controllers of the manager. docs/reference/delays.md has the same table, with the reasons.</summary>
internal static class Delays
{
    /// <summary>
    /// Delay before a status is written that lacks only the response of Envoy Gateway. The response usually takes milliseconds, and seconds
    /// under load.
    /// </summary>
    public static readonly TimeSpan StatusAnswer = TimeSpan.FromSeconds(2);

    /// <summary>Delay before a status is written in which only counts of attached routes changed.</summary>
    public static readonly TimeSpan StatusCounts = TimeSpan.FromMilliseconds(250);

    /// <summary>Delay before it is reported that Envoy Gateway does not respond.</summary>
    public static readonly TimeSpan EnvoyGatewayReport = TimeSpan.FromSeconds(30);

    /// <summary>Drain time of Services that a route no longer refers to, after Envoy Gateway has observed the change.</summary>
    public static readonly TimeSpan ServiceDrain = TimeSpan.FromSeconds(5);

    /// <summary>Maximum drain time while Envoy Gateway does not respond.</summary>
    public static readonly TimeSpan ServiceDrainWithoutAnswer = TimeSpan.FromMinutes(1);

    /// <summary>How long the generated objects of a deleted Route are kept for a Route of the same, recreated source object.</summary>
    public static readonly TimeSpan Replacement = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the generated objects are kept if such a Route exists but does not adopt them, for example because it is rejected.
    /// </summary>
    public static readonly TimeSpan Inheritance = TimeSpan.FromSeconds(30);

    /// <summary>Retry interval of a Route that needs a free port or name, or a larger quota.</summary>
    public static readonly TimeSpan RouteRetry = TimeSpan.FromSeconds(30);

    /// <summary>Timeout for the proxies' acknowledgement of a route's new backends.</summary>
    public static readonly TimeSpan Acknowledgement = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Time after which the work on a Route continues behind the keys that wait, so that tenants do not wait for one another.
    /// </summary>
    public static readonly TimeSpan WorkSlice = TimeSpan.FromMilliseconds(50);

    /// <summary>Delay before the report that a tenant has no node address.</summary>
    public static readonly TimeSpan NoAddresses = TimeSpan.FromSeconds(5);

    /// <summary>Delay before the proxies of a tenant without routes are removed.</summary>
    public static readonly TimeSpan ProxyRemoval = TimeSpan.FromSeconds(5);

    /// <summary>Delay before it is reported that no proxy of a tenant is available.</summary>
    public static readonly TimeSpan ProxyStart = TimeSpan.FromSeconds(30);

    /// <summary>Time without progress after which a rollout of proxies is stuck.</summary>
    public static readonly TimeSpan ProxyRollout = TimeSpan.FromMinutes(10);

    /// <summary>Retry interval of a rollout that waits for a free slot.</summary>
    public static readonly TimeSpan ProxyRolloutSlot = TimeSpan.FromSeconds(15);

    /// <summary>Retry interval while the CustomResourceDefinition of PodMonitors is not installed.</summary>
    public static readonly TimeSpan PodMonitor = TimeSpan.FromMinutes(1);

    /// <summary>Delay between a change of the management cluster's ranges and the change of all NetworkPolicies of proxies.</summary>
    public static readonly TimeSpan RangesSettled = TimeSpan.FromSeconds(10);

    /// <summary>Retry interval while ranges of the management cluster are unknown.</summary>
    public static readonly TimeSpan UnknownRanges = TimeSpan.FromMinutes(1);

    /// <summary>Minimum interval of Events with the same cause about a tenant's xDS streams.</summary>
    public static readonly TimeSpan ProxyEvent = TimeSpan.FromMinutes(5);

    /// <summary>Interval of writes of a Tenant's summary, the figures of <c>kubectl get tenants</c>, after a burst.</summary>
    public static readonly TimeSpan TenantSummary = TimeSpan.FromSeconds(30);
}
