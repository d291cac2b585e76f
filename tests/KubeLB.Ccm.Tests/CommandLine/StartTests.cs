using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.CommandLine;

public sealed class StartTests : IDisposable
{
    private const string NobodyListens = """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
        contexts: [{name: c, context: {cluster: c, user: u}}]
        current-context: c
        users: [{name: u, user: {token: t}}]
        """;

    private readonly string _kubeconfig = Path.GetTempFileName();

    public StartTests() => File.WriteAllText(_kubeconfig, NobodyListens);

    [Fact]
    public async Task An_address_that_is_none_is_one_line_and_no_stack_trace()
    {
        var run = await ProgramRun.OfAsync(
            "kubelb-ccm",
            "--cluster-name",
            "t1",
            "--kubeconfig",
            _kubeconfig,
            "--kubelb-kubeconfig",
            _kubeconfig,
            "--metrics-addr",
            "127.0.0.1:99999"
        );

        run.ExitCode.Should().Be(2);
        run.Error.TrimEnd()
            .Split('\n')
            .Should()
            .ContainSingle()
            .Which.Should()
            .StartWith("--metrics-addr: Invalid listen address \"127.0.0.1:99999\": ")
            .And.EndWith("See --help.");
        run.Output.Should().NotContain("   at ");
    }

    public void Dispose() => File.Delete(_kubeconfig);
}
