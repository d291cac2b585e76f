using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Sandbox.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>How a sandbox is to be.</summary>
public sealed record SandboxOptions
{
    /// <summary>Number of tenants, each with a cluster and a CCM; 1 by default.</summary>
    public int Tenants { get; init; } = 1;

    /// <summary>Folder for the logs, a file per component; null for no files.</summary>
    public string? LogDirectory { get; init; }

    /// <summary>
    /// Folder for the kubeconfigs with which the CCMs reach the management cluster, <c>ccm-TENANT.kubeconfig</c>; null for a temporary one.
    /// </summary>
    public string? KubeconfigDirectory { get; init; }

    /// <summary>Where the components log beside the files, for example to a test's output; null for nowhere.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>
    /// Takes sentences for the user, for example that a port is served elsewhere; null for nobody. Called from any thread.
    /// </summary>
    public Action<string>? Notice { get; init; }

    /// <summary>The lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Whether the API servers speak TLS, as real ones do; true by default.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Starts the API server of a cluster; embedded clusters by default.</summary>
    public Func<ClusterRequest, CancellationToken, Task<ISandboxCluster>> StartCluster { get; init; } =
        static async (request, cancellationToken) =>
            await EmbeddedSandboxCluster.StartAsync(request, cancellationToken).ConfigureAwait(false);

    /// <summary>Changes the settings of the CCMs; null leaves them as they are.</summary>
    public Func<CcmOptions, CcmOptions>? Ccm { get; init; }

    /// <summary>Changes the settings of the manager; null leaves them as they are.</summary>
    public Func<ManagerOptions, ManagerOptions>? Manager { get; init; }

    /// <summary>Path of an Envoy binary that runs as the tenants' proxies; null, the default, for stand-ins.</summary>
    public string? Envoy { get; init; }

    /// <summary>Gives each Envoy a loopback address, as where this process may not make network namespaces.</summary>
    internal bool OnlyLoopbackProxies { get; init; }

    /// <summary>Acts as on a machine where only 127.0.0.1 can be bound.</summary>
    internal bool OnlyLocalhost { get; init; }

    /// <summary>Whether the CCMs and the manager run from the start; true by default.</summary>
    public bool StartControllers { get; init; } = true;
}
