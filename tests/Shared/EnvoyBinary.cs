using System.Diagnostics;

namespace KubeLB.Tests.Shared;

/// <summary>
/// The real Envoy: what <c>KUBELB_ENVOY</c> names, else <c>envoy</c> on PATH. A test that needs it is skipped without it.
/// </summary>
public static class EnvoyBinary
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("KUBELB_ENVOY") is { Length: > 0 } named ? named : null;

    private static readonly string? Found =
        Named
        ?? (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "envoy"))
            .FirstOrDefault(File.Exists);

    /// <summary>Its path; null where there is none.</summary>
    public static string? Location => Found;

    /// <summary>The binary; without one the test is skipped.</summary>
    public static string Require()
    {
        Assert.SkipWhen(Found is null, "no envoy binary: none is on PATH, and KUBELB_ENVOY names none");
        File.Exists(Found).Should().BeTrue($"KUBELB_ENVOY says {Found}");
        return Found!;
    }

    /// <summary>Starts Envoy; the caller must read its output.</summary>
    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Require(), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    /// <summary>Validates a configuration with Envoy as at its start, without serving it. It must be accepted.</summary>
    /// <param name="configuration">YAML or JSON of a bootstrap.</param>
    /// <param name="arguments">Further arguments.</param>
    public static async Task ValidateAsync(string configuration, params string[] arguments) =>
        (await ProblemAsync(configuration, arguments)).Should().BeNull("Envoy must accept the configuration");

    /// <summary>What Envoy reports about a configuration that it rejects; null if it accepts it.</summary>
    /// <param name="configuration">YAML or JSON of a bootstrap.</param>
    /// <param name="arguments">Further arguments.</param>
    public static async Task<string?> ProblemAsync(string configuration, params string[] arguments)
    {
        using var envoy = Start(["--mode", "validate", "--config-yaml", configuration, .. arguments]);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var output = envoy.StandardOutput.ReadToEndAsync(deadline.Token);
            var errors = envoy.StandardError.ReadToEndAsync(deadline.Token);
            await envoy.WaitForExitAsync(deadline.Token);
            return envoy.ExitCode == 0 ? null : $"{await output}{await errors}";
        }
        finally
        {
            if (!envoy.HasExited)
            {
                envoy.Kill();
            }
        }
    }
}
