using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Sandbox.Activity;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>Options of a sandbox.</summary>
public sealed record SandboxOptions
{
    /// <summary>Number of tenants, each with a cluster and a CCM; 1 by default.</summary>
    public int Tenants { get; init; } = 1;

    /// <summary>Directory for the log files, one per component; null for none.</summary>
    public string? LogDirectory { get; init; }

    /// <summary>
    /// Directory for the CCMs' kubeconfigs of the management cluster, <c>ccm-TENANT.kubeconfig</c>; null for a temporary one.
    /// </summary>
    public string? KubeconfigDirectory { get; init; }

    /// <summary>Additional log provider, for example the output of a test; null for none.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>Receives notices for the user, for example about a remapped port; null for none. Called from any thread.</summary>
    public Action<string>? Notice { get; init; }

    /// <summary>Receives the name of each part before it starts; null for none.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>
    /// Receives the state of a tenant's Gateway or route in one line whenever it changes; null for none. Called from any thread.
    /// </summary>
    public Action<TenantCluster, string>? StateChanged { get; init; }

    /// <summary>Receives each request to a Gateway after its response; null for none. Called from any thread.</summary>
    internal Action<GatewayAccess>? Accessed { get; init; }

    /// <summary>Minimum log level.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Whether the API servers serve TLS; true by default.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Starts a cluster; an embedded cluster by default.</summary>
    public Func<ClusterRequest, CancellationToken, Task<ISandboxCluster>> StartCluster { get; init; } =
        static async (request, cancellationToken) =>
            await EmbeddedSandboxCluster.StartAsync(request, cancellationToken).ConfigureAwait(false);

    /// <summary>Modifies the options of the CCMs; null for no changes.</summary>
    public Func<CcmOptions, CcmOptions>? Ccm { get; init; }

    /// <summary>Modifies the options of the manager; null for no changes.</summary>
    public Func<ManagerOptions, ManagerOptions>? Manager { get; init; }

    /// <summary>Path of the Envoy binary for the tenant proxies; null, the default, for stand-ins.</summary>
    public string? Envoy { get; init; }

    /// <summary>Runs each Envoy on a loopback address, as without permission to create network namespaces.</summary>
    internal bool OnlyLoopbackProxies { get; init; }

    /// <summary>Uses only 127.0.0.1, as on macOS.</summary>
    internal bool OnlyLocalhost { get; init; }

    /// <summary>Whether to start the CCMs and the manager; true by default.</summary>
    public bool StartControllers { get; init; } = true;
}
