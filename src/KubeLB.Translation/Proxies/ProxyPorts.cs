namespace KubeLB.Translation.Proxies;

/// <summary>Ports that an Envoy of ours listens on itself, beside those of the tenant's routes. Part of the wire contract.</summary>
public static class ProxyPorts
{
    /// <summary>Envoy's administration, on loopback only.</summary>
    public const int Admin = 9001;

    /// <summary>Metrics, at <c>/stats/prometheus</c>.</summary>
    public const int Stats = 19001;

    /// <summary>The Go manager's shutdown manager; not used here.</summary>
    public const int Shutdown = 19002;

    /// <summary><c>/ready</c>: has its configuration; <c>/live</c>: answers at all.</summary>
    public const int Readiness = 19003;

    /// <summary><c>/healthz</c>: serves, and is not about to end.</summary>
    public const int Health = 19004;

    private static readonly int[] Own = [Admin, Stats, Shutdown, Readiness, Health];

    /// <summary>Whether a port is the proxy's own, so that no route may have it.</summary>
    public static bool IsReserved(int port) => Own.Contains(port);

    /// <summary>How many of the proxy's own ports are in a range.</summary>
    public static int ReservedWithin(int first, int last) => Own.Count(port => port >= first && port <= last);
}
