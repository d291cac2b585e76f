namespace KubeLB.Runtime.CommandLine;

/// <summary>The exit codes of <c>kubelb-ccm</c> and <c>kubelb-manager</c>, and of their command <c>check</c>.</summary>
public static class ControllerExitCodes
{
    /// <summary>The controller was stopped by SIGTERM or Ctrl-C. <c>check</c>: all checks passed, or failed with warnings only.</summary>
    public const int Ok = 0;

    /// <summary>
    /// A kubeconfig is invalid, a port is in use, or a background loop failed so that the state in memory may be wrong; Kubernetes restarts
    /// the container. <c>check</c>: a check failed, or the API servers did not respond.
    /// </summary>
    public const int Failed = 1;

    /// <summary>The command line is invalid. Standard error has the reason.</summary>
    public const int Usage = 2;
}
