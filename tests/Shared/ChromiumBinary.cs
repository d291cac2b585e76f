namespace KubeLB.Tests.Shared;

/// <summary>
/// A browser: what <c>KUBELB_CHROMIUM</c> names, else Chromium or Chrome on PATH. A test that needs it is skipped without it.
/// </summary>
public static class ChromiumBinary
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private static readonly string? Found = Environment.GetEnvironmentVariable("KUBELB_CHROMIUM") is { Length: > 0 } named
        ? named
        : (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);

    /// <summary>The binary; without one the test is skipped.</summary>
    public static string Require()
    {
        Assert.SkipWhen(Found is null, "no chromium binary: none is on PATH, and KUBELB_CHROMIUM names none");
        File.Exists(Found).Should().BeTrue($"KUBELB_CHROMIUM says {Found}");
        return Found!;
    }
}
