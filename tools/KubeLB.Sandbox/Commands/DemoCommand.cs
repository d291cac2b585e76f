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
            "Folder for kubeconfigs and logs; created if need be [default: a fresh folder under the temporary files, removed when "
            + "all went well]",
        HelpName = "DIR",
    };

    private static readonly EnvoyOption Envoy = new();

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command(
            "demo",
            "Play the documentation's example \"Basic HTTPRoute\", show each step, and end; exit code 0 only if the backend answers"
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
            succeeded = await PlayAsync(folder, output, envoy, stop).ConfigureAwait(false);
            return succeeded ? 0 : 1;
        }
        finally
        {
            // Nobody looks into the logs of what went well, except where a folder was asked for.
            if (succeeded && dir is null)
            {
                folder.Delete();
            }
            else
            {
                output.Line($"Kubeconfigs and logs are in {folder.FullPath}");
            }
        }
    }

    private static async Task<bool> PlayAsync(
        SandboxFolder folder,
        Output output,
        (string? Path, string Reason) envoy,
        CancellationToken stop
    )
    {
        var options = new SandboxOptions
        {
            Envoy = envoy.Path,
            LogDirectory = folder.FullPath,
            Notice = sentence => output.Line(sentence),
        };
        await ProxyProcesses.RemoveLeftoversAsync(stop).ConfigureAwait(false);
        await using var sandbox = await SandboxEnvironment.StartAsync(options, stop).ConfigureAwait(false);
        folder.Write(sandbox);
        output.Line($"A sandbox runs: tenant {sandbox.Tenants[0].Name}, management cluster, CCM, manager.");
        output.Line($"Tenants' proxies: {sandbox.Proxies ?? $"stand-in ({envoy.Reason})"}");
        return await new BasicHttpRouteDemo(sandbox, output).RunAsync(stop).ConfigureAwait(false);
    }
}
