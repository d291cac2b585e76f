using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>An Envoy on this machine.</summary>
/// <param name="Path">The binary.</param>
/// <param name="Version">Its version, for example <c>1.40.0</c>.</param>
internal sealed partial record EnvoyProgram(string Path, string Version)
{
    /// <summary>Names the binary where it is not on PATH.</summary>
    public const string Variable = "KUBELB_ENVOY";

    private const string Remedy = $"name an Envoy binary with --envoy or {Variable}.";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>The binary that <see cref="Variable"/> names, else the first <c>envoy</c> on PATH; null if there is none.</summary>
    public static string? Find() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : ChildProcesses.Find("envoy");

    /// <summary>Runs <c>--version</c> of a binary.</summary>
    /// <exception cref="IOException">It cannot be run, or is not Envoy.</exception>
    public static async Task<EnvoyProgram> ReadAsync(string path, CancellationToken cancellationToken)
    {
        path = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"{path} is a folder; {Remedy}");
        }

        if (!File.Exists(path))
        {
            throw new IOException($"{path} does not exist; {Remedy}");
        }

        string output;
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(Timeout);
            try
            {
                output = await process.StandardOutput.ReadToEndAsync(timeout.Token).ConfigureAwait(false);
                await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }
            }
        }
        catch (Exception e) when (e is Win32Exception or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{path} cannot be run ({e.Message}); {Remedy}", e);
        }

        return VersionPattern().Match(output) is { Success: true } match
            ? new EnvoyProgram(path, match.Groups["version"].Value)
            : throw new IOException($"{path} is not Envoy: --version does not name one; {Remedy}");
    }

    // envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL
    [GeneratedRegex(@"version: [0-9a-f]+/(?<version>[0-9][^/\s]*)/")]
    private static partial Regex VersionPattern();
}
