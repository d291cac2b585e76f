using System.CommandLine;
using KubeLB.Runtime.CommandLine;

namespace KubeLB.Sandbox.Commands;

/// <summary><c>kubelb-sandbox cluster</c>.</summary>
internal static class ClusterCommand
{
    private static readonly Option<int> Port = WholeNumber.Option(
        "--port",
        "Port of the API server on 127.0.0.1; 0 for a free port",
        "P",
        defaultValue: 0,
        minimum: 0,
        maximum: 65535
    );

    private static readonly Option<string?> Kubeconfig = new("--kubeconfig")
    {
        Description = "File for the administrator's kubeconfig (required); overwritten if it exists",
        HelpName = "FILE",
    };

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command("cluster", "Run one embedded cluster until Ctrl-C: an in-memory API server without KubeLB controllers");
        command.Options.Add(Port);
        command.Options.Add(Kubeconfig);
        command.SetAction(
            (parsed, _) => SandboxProgram.GuardAsync(stop => RunAsync(parsed.GetValue(Port), parsed.GetValue(Kubeconfig), stop))
        );
        return command;
    }

    private static async Task<int> RunAsync(int port, string? kubeconfig, CancellationToken stop)
    {
        if (string.IsNullOrWhiteSpace(kubeconfig))
        {
            throw new UsageException("--kubeconfig is required: the file for the kubeconfig.");
        }

        var path = Path.GetFullPath(kubeconfig);
        await using var cluster = await StartAsync(port, stop).ConfigureAwait(false);
        try
        {
            SandboxFolder.WriteSecret(path, cluster.KubeconfigYaml);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write kubeconfig {path} ({e.Message}); choose another file with --kubeconfig.", e);
        }

        var output = new Output();
        output.Line($"Embedded cluster at {cluster.Url}");
        output.Command($"export KUBECONFIG={Shell.Word(path)}");
        output.Line("ready; Ctrl-C stops the cluster and deletes its content");
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }

        return SandboxExitCodes.Ok;
    }

    private static async Task<EmbeddedCluster.EmbeddedCluster> StartAsync(int port, CancellationToken stop)
    {
        try
        {
            return await EmbeddedCluster
                .EmbeddedCluster.StartAsync(new EmbeddedCluster.EmbeddedClusterOptions { Name = "sandbox", Port = port }, stop)
                .ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new IOException($"Cannot listen on 127.0.0.1:{port} ({e.Message}); choose another port with --port.", e);
        }
    }
}
