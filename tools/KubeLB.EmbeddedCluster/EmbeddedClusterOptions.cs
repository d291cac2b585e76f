using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeLB.EmbeddedCluster;

/// <summary>Options of an embedded cluster.</summary>
public sealed record EmbeddedClusterOptions
{
    /// <summary>Name of the cluster in its kubeconfig; <c>embedded</c> by default.</summary>
    public string Name { get; init; } = "embedded";

    /// <summary>The loopback address to listen on; 127.0.0.1 by default. Other addresses are rejected.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port to listen on; 0, the default, for a free port.</summary>
    public int Port { get; init; }

    /// <summary>Whether to serve TLS with a generated certificate authority, which is in the kubeconfig; true by default.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Node port range of Services; 30000-32767 by default.</summary>
    public (int First, int Last) NodePortRange { get; init; } = (30000, 32767);

    /// <summary>The network of cluster IPs; 10.96.0.0/16 by default.</summary>
    public string ServiceCidr { get; init; } = "10.96.0.0/16";

    /// <summary>The clock for timestamps, ages, timeouts and bookmarks.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Number of changes of each resource from which watches can resume; 5,000 by default.</summary>
    public int WatchHistory { get; init; } = 5_000;

    /// <summary>Interval of watch bookmarks; one minute by default.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How CEL rules in the schemas of custom resources are handled. They are not evaluated; by default they are ignored.
    /// </summary>
    public ValidationRules ValidationRules { get; init; } = ValidationRules.Ignore;

    /// <summary>Provides container logs for <c>kubectl logs</c>; null, the default, for none.</summary>
    public PodLogSource? PodLogs { get; init; }

    /// <summary>The logger factory of the cluster; no logging by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
