using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Images;

/// <summary>
/// Both images without a container engine: published by the steps of their Dockerfiles and run as user 65532, on a read-only root file
/// system without shell, home and /tmp, under the limits of the charts.
/// </summary>
[Collection(PublishedImages.Collection)]
public sealed class ImageTests(PublishedImages images, ITestOutputHelper output)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static TheoryData<string, string> Versions =>
        new()
        {
            { "ccm", $"kubelb-ccm v0.1.0 (commit {PublishedImages.Revision[..7]}, {PublishedImages.CommitDate})\n" },
            { "manager", "kubelb-manager v0.1.0 (commit unknown)\n" },
        };

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Image_with_version_flag_prints_version_and_commit(string component, string expected)
    {
        await using var process = await RunAsync(component, "--version");

        process.Output.Should().Be(expected);
    }

    [Theory]
    [InlineData("ccm", "--cluster-name")]
    [InlineData("manager", "--xds-insecure")]
    public async Task Image_with_help_flag_prints_its_flags(string component, string flag)
    {
        await using var process = await RunAsync(component, "--help");

        process.Output.Should().Contain(flag).And.Contain("Usage:");
    }

    [Fact]
    public async Task Images_on_a_read_only_file_system_become_ready_within_chart_limits()
    {
        Require();
        using var managerLimits = Limits("kubelb-manager");
        using var ccmLimits = Limits("kubelb-ccm");
        await using var pair = await PublishedPair.StartAsync();

        var manager = await pair.StartManagerAsync(images.Manager, managerLimits);
        var ccm = await pair.StartCcmAsync(images.Ccm, ccmLimits);

        using var http = new HttpClient();
        (await http.GetStringAsync(manager.Metrics)).Should().Contain("""kubelb_manager_build_info{version="v0.1.0",commit="unknown"} 1""");
        (await http.GetStringAsync(ccm.Metrics))
            .Should()
            .Contain($$"""kubelb_ccm_build_info{version="v0.1.0",commit="{{PublishedImages.Revision[..7]}}"} 1""");
        foreach (var controller in new[] { manager, ccm })
        {
            output.WriteLine(
                $"{controller.Name}: ready after {controller.ReadyAfter.TotalSeconds:0.0} s, {controller.Resident / 1_000_000} MB "
                    + $"resident; {managerLimits.Description}"
            );
            controller.Process.Error.Should().BeEmpty();
            controller.Process.Output.Should().Contain("Starting {Build}.");
            ShouldBeConfined(controller.Process.Id);
            controller.Process.Terminate();
            await controller.Process.EndAsync(Timeout);
            controller.Process.ExitCode.Should().Be(0, "SIGTERM stops it gracefully. {0}", pair.Describe());
        }
    }

    // Verifies that the container of this test is restricted.
    private static void ShouldBeConfined(int process)
    {
        var status = File.ReadAllText($"/proc/{process}/status");
        status
            .Should()
            .MatchRegex(@"Uid:\s+65532\s+65532\s+65532\s+65532\n")
            .And.MatchRegex(@"Gid:\s+65532\s+65532\s+65532\s+65532\n")
            .And.MatchRegex(@"Groups:\s*\n")
            .And.MatchRegex(@"CapEff:\s+0+\n")
            .And.MatchRegex(@"NoNewPrivs:\s+1\n");
        var mounts = File.ReadLines($"/proc/{process}/mountinfo").Select(line => line.Split(' ')).ToList();
        mounts.Should().Contain(m => m[4] == "/app").And.Contain(m => m[4] == "/");
        mounts
            .Where(m => !Regex.IsMatch(m[4], "^/(proc|sys/fs/cgroup|dev)(/|$)"))
            .Should()
            .OnlyContain(m => m[5].Split(',', StringSplitOptions.None).Contains("ro"));
        Directory
            .EnumerateFileSystemEntries($"/proc/{process}/root")
            .Select(Path.GetFileName)
            .Should()
            .NotContain(["tmp", "bin", "home", "root"]);
    }

    private async Task<ImageProcess> RunAsync(string component, params string[] arguments)
    {
        Require();
        using var limits = Limits($"kubelb-{component}");
        var process = ImageProcess.Start(component == "ccm" ? images.Ccm : images.Manager, images.NoKubeconfigs, limits, arguments);
        await process.EndAsync(Timeout);
        process.ExitCode.Should().Be(0, "{0}{1}", process.Error, process.Output);
        process.Error.Should().BeEmpty();
        return process;
    }

    private static void Require() =>
        Assert.SkipWhen(ImageProcess.Missing is not null, $"an image cannot be run here: {ImageProcess.Missing}");

    private static ResourceLimits Limits(string chart)
    {
        var values = File.ReadAllText(Path.Combine(SourceTree.Root, "charts", chart, "values.yaml"));
        var limits = Regex.Match(values, @"^resources:\n  limits:\n    cpu: (\d+)m\n    memory: (\d+)Mi\n", RegexOptions.Multiline);
        limits.Success.Should().BeTrue($"chart {chart} has default limits of its container");
        return ResourceLimits.Create(int.Parse(limits.Groups[1].Value), long.Parse(limits.Groups[2].Value) << 20);
    }
}
