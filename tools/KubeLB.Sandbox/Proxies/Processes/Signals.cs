using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>Signals to processes.</summary>
internal static class Signals
{
    private const int Terminate = 15;

    /// <summary>Asks a process to end. Nothing happens if it has.</summary>
    public static void Ask(Process process)
    {
        if (!process.HasExited)
        {
            _ = Send(process.Id, Terminate);
        }
    }

    /// <summary>Ends a process at once. Nothing happens if it has ended.</summary>
    public static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int process, int signal);
}
