namespace KubeLB.Sandbox.Commands;

/// <summary>The exit codes of <c>kubelb-sandbox</c>.</summary>
internal static class SandboxExitCodes
{
    /// <summary>The sandbox was stopped by SIGTERM or Ctrl-C. <c>demo</c>: the backend responded.</summary>
    public const int Ok = 0;

    /// <summary>The sandbox could not start, or a part of it failed; standard error has the reason. <c>demo</c>: a step failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line is invalid. Standard error has the reason.</summary>
    public const int Usage = 2;
}
