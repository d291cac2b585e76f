namespace KubeLB.Cli.Tests;

public class CliProgramTests
{
    [Theory]
    [InlineData("trase httproute/x", 2, "Unknown command trase. Did you mean trace? See --help.")]
    [InlineData("trace httproute/x --wach", 2, "Unknown option --wach. Did you mean --watch? See --help.")]
    [InlineData("trace httproute/x --kubeconfg f", 2, "Unknown option --kubeconfg. Did you mean --kubeconfig? See --help.")]
    [InlineData("tenant", 2, "A command is required: add. See --help.")]
    [InlineData("trace httpruote/x --kubeconfig KUBECONFIG", 2, "Unknown kind \"httpruote\"; did you mean httproute? See --help.")]
    [InlineData(
        "trace configmap/x --kubeconfig KUBECONFIG",
        2,
        "Unknown kind \"configmap\"; use one of httproute, grpcroute, gateway, service, route. See --help."
    )]
    [InlineData(
        "trace my-route --kubeconfig KUBECONFIG",
        2,
        "Invalid object \"my-route\"; write KIND/NAME, for example httproute/my-route, or a URL. See --help."
    )]
    [InlineData("trace http://x/ -H nocolon --kubeconfig KUBECONFIG", 2, "Invalid header \"nocolon\"; write NAME: VALUE. See --help.")]
    [InlineData("trace httproute/x -o xml", 2, "--output: invalid value \"xml\"; must be tree, json or yaml. See --help.")]
    [InlineData(
        "trace httproute/x -X G/T --kubeconfig KUBECONFIG",
        2,
        "Invalid method \"G/T\"; write one such as GET or POST. See --help."
    )]
    [InlineData("completion tcsh", 2, "Unknown shell \"tcsh\"; use bash, zsh, fish, powershell. See --help.")]
    [InlineData("trace httproute/x --kubeconfig /nope", 1, "Cannot use kubeconfig /nope: Could not find file '/nope'.")]
    [InlineData(
        "tenant add Shop_1 --management-kubeconfig KUBECONFIG",
        2,
        "Invalid name \"Shop_1\"; use at most 56 lower-case letters, digits and -. See --help."
    )]
    public async Task Error_of_the_command_line_is_one_line_that_says_what_to_change(string line, int code, string expected)
    {
        var (exit, output, error) = await RunAsync(line);
        (exit, error.Trim()).Should().Be((code, expected));
        output.Should().BeEmpty();
    }

    [Fact]
    public async Task Unreachable_cluster_is_named_and_nothing_is_claimed()
    {
        var (exit, output, _) = await RunAsync("trace httproute/x --kubeconfig KUBECONFIG");
        output
            .Should()
            .Contain("No problem found on the part of the path that could be read.")
            .And.Contain("Not read: the tenant cluster cannot be read");
        exit.Should().Be(1, "nothing is known");

        (exit, output, _) = await RunAsync("check --kubeconfig KUBECONFIG");
        exit.Should().Be(1);
        output.Should().Contain("✗ The API server responds");
    }

    [Theory]
    [InlineData("")]
    [InlineData("--help")]
    public async Task Help_lists_the_commands(string line)
    {
        var (exit, output, _) = await RunAsync(line);
        exit.Should().Be(0);
        output.Should().ContainAll("trace", "status", "check", "tenant", "completion").And.NotContain("__complete");
    }

    [Theory]
    [InlineData("trace")]
    [InlineData("status")]
    [InlineData("check")]
    [InlineData("tenant add")]
    [InlineData("migrate plan")]
    [InlineData("completion")]
    public async Task Help_of_a_command_has_examples(string command)
    {
        var (exit, output, _) = await RunAsync(command + " --help");
        exit.Should().Be(0);
        (await RunAsync(command + " -h")).Should().Be((0, output, ""));
        output.Should().Contain($"Examples:{Environment.NewLine}").And.Contain($"kubelb {command}");
    }

    [Theory]
    [InlineData("kubelb tr", "trace")]
    [InlineData("kubelb trace h", "httproute/")]
    [InlineData("kubelb trace httproute/x --pr", "--probe")]
    [InlineData("kubelb trace httproute/x --output y", "yaml")]
    [InlineData("kubelb completion ", "zsh")]
    public async Task Completion_offers_commands_options_and_values(string line, string expected)
    {
        var output = new StringWriter();
        (await CliProgram.RunAsync(["__complete", line], output, TextWriter.Null)).Should().Be(0);
        output.ToString().Split(Environment.NewLine).Should().Contain(expected).And.NotContain("__complete");
    }

    [Theory]
    [InlineData("bash", "complete -F _kubelb kubelb")]
    [InlineData("zsh", "compdef _kubelb kubelb")]
    [InlineData("fish", "complete -c kubelb")]
    [InlineData("powershell", "Register-ArgumentCompleter")]
    public async Task Completion_has_a_script_for_each_shell(string shell, string expected) =>
        (await RunAsync("completion " + shell)).Output.Should().Contain(expected);

    private static async Task<(int Exit, string Output, string Error)> RunAsync(string line)
    {
        var kubeconfig = Path.GetTempFileName();
        try
        {
            // Nothing listens on port 1.
            await File.WriteAllTextAsync(
                kubeconfig,
                """
                apiVersion: v1
                kind: Config
                current-context: c
                contexts: [{name: c, context: {cluster: c, user: u}}]
                clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
                users: [{name: u, user: {token: t}}]
                """
            );
            var arguments = line.Replace("KUBECONFIG", kubeconfig, StringComparison.Ordinal)
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (output, error) = (new StringWriter(), new StringWriter());
            var exit = await CliProgram.RunAsync(arguments, output, error);
            return (exit, output.ToString(), error.ToString());
        }
        finally
        {
            File.Delete(kubeconfig);
        }
    }
}
