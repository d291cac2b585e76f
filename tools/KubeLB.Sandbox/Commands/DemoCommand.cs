using System.CommandLine;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.Proxies.Processes;

namespace KubeLB.Sandbox.Commands;

/// <summary><c>kubelb-sandbox demo</c>.</summary>
internal static class DemoCommand
{
    private static readonly Option<string?> Dir = new("--dir")
    {
        Description =
            "Directory for kubeconfigs and logs; created if missing [default: a new temporary directory, removed " + "on success]",
        HelpName = "DIR",
    };

    private static readonly EnvoyOption Envoy = new();

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command(
            "demo",
            "Run the documentation's example \"Basic HTTPRoute\" and show each step; exit code 0 only if the backend responds"
        );
        command.Options.Add(Dir);
        Envoy.AddTo(command);
        command.SetAction((parsed, _) => SandboxProgram.GuardAsync(stop => RunAsync(parsed.GetValue(Dir), Envoy.Read(parsed), stop)));
        return command;
    }

    private static async Task<int> RunAsync(string? dir, (string? Path, string Reason) envoy, CancellationToken stop)
    {
        var output = new Output();
        using var folder = SandboxFolder.Open(dir);
        var succeeded = false;
        try
        {
            succeeded = await RunDemoAsync(folder, output, envoy, stop).ConfigureAwait(false);
            return succeeded ? SandboxExitCodes.Ok : SandboxExitCodes.Failed;
        }
        finally
        {
            // After a success the logs are only kept in a directory from --dir.
            if (succeeded && dir is null)
            {
                folder.Delete();
            }
            else
            {
                output.Line($"Kubeconfigs and logs: {folder.FullPath}");
            }
        }
    }

    private static async Task<bool> RunDemoAsync(
        SandboxFolder folder,
        Output output,
        (string? Path, string Reason) envoy,
        CancellationToken stop
    )
    {
        var progress = new StartProgress(output);
        var options = new SandboxOptions
        {
            Envoy = envoy.Path,
            LogDirectory = folder.FullPath,
            Notice = sentence => output.Line(sentence),
            Progress = progress.Starting,
        };
        await ProxyProcesses.RemoveLeftoversAsync(stop).ConfigureAwait(false);
        await using var sandbox = await SandboxEnvironment.StartAsync(options, stop).ConfigureAwait(false);
        folder.Write(sandbox);
        output.Line($"Sandbox started: tenant {sandbox.Tenants[0].Name}, management cluster, CCM, manager.");
        output.Line($"Tenant proxies: {sandbox.Proxies ?? $"stand-in ({envoy.Reason})"}");
        return await new BasicHttpRouteDemo(sandbox, output).RunAsync(stop).ConfigureAwait(false);
    }
}
