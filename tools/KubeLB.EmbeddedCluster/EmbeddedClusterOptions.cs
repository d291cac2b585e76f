using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeLB.EmbeddedCluster;

/// <summary>How an embedded cluster is to be.</summary>
public sealed record EmbeddedClusterOptions
{
    /// <summary>Name of the cluster in its kubeconfig; <c>embedded</c> by default.</summary>
    public string Name { get; init; } = "embedded";

    /// <summary>The loopback address to listen on; 127.0.0.1 by default. Any other kind of address is refused.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port to listen on; 0, the default, takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Serve TLS with a certificate of a generated authority, which the kubeconfig carries; on by default.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Node ports that Services are given; 30000-32767 by default.</summary>
    public (int First, int Last) NodePortRange { get; init; } = (30000, 32767);

    /// <summary>The network of cluster IPs; 10.96.0.0/16 by default.</summary>
    public string ServiceCidr { get; init; } = "10.96.0.0/16";

    /// <summary>The clock for timestamps, ages, time limits and bookmarks.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How many changes of each resource are remembered for watches to resume from; 5,000 by default.</summary>
    public int WatchHistory { get; init; } = 5_000;

    /// <summary>How often a watch that asked for bookmarks is sent one; every minute by default.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// What becomes of CEL rules in the schemas of custom resources, which are not evaluated; they are ignored by default.
    /// </summary>
    public ValidationRules ValidationRules { get; init; } = ValidationRules.Ignore;

    /// <summary>Gives the output of containers, for <c>kubectl logs</c>; null, the default, where no containers run.</summary>
    public PodLogSource? PodLogs { get; init; }

    /// <summary>Where the cluster logs; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
