namespace KubeLB.Ccm.Hosting;

/// <summary>Delays of the controllers of the CCM. docs/reference/delays.md has the same table, with the reasons.</summary>
internal static class Delays
{
    /// <summary>
    /// Delay before the first status of a new route that has no result yet is written. Creation timestamps have a resolution of one second.
    /// </summary>
    public static readonly TimeSpan FirstStatus = TimeSpan.FromSeconds(2);

    /// <summary>Delay before the Event that a route refers to a Gateway that does not exist.</summary>
    public static readonly TimeSpan MissingParent = TimeSpan.FromSeconds(10);

    /// <summary>Delay before it is reported that a backend has no ready endpoint.</summary>
    public static readonly TimeSpan BackendsReady = TimeSpan.FromSeconds(5);

    /// <summary>Drain time of an unused node-port Service, after the manager has removed the generated Service that refers to it.</summary>
    public static readonly TimeSpan NodePortDrain = TimeSpan.FromSeconds(15);

    /// <summary>Maximum drain time while the manager still reports the generated Service.</summary>
    public static readonly TimeSpan NodePortDrainWithoutAnswer = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long writes of a node-port Service fail with errors that the API server may recover from before routes report them.
    /// </summary>
    public static readonly TimeSpan NodePortServiceError = TimeSpan.FromSeconds(2);

    /// <summary>Requeue interval while a required kind is not available.</summary>
    public static readonly TimeSpan MissingKind = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a rejected CCM waits before it binds the tenant after the recorded cluster UID was removed from Addresses.
    /// </summary>
    public static readonly TimeSpan Claim = TimeSpan.FromSeconds(5);

    /// <summary>Interval of the CCM's reports in annotations of Addresses, with 10 % jitter.</summary>
    public static readonly TimeSpan Report = TimeSpan.FromMinutes(5);
}
