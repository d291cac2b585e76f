using System.CommandLine;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Overview;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb status</c>: the tenants of an installation and their problems.</summary>
internal static class StatusCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var connection = new ManagementOptions();
        var output = OneOf("--output", "Format of the output", "table", "table", CommandOutput.Json, CommandOutput.Yaml);
        output.Aliases.Add("-o");
        var command = new Command("status", "Show tenants, their CCMs, routes by state, proxies, used limits and problems") { output };
        connection.AddTo(command);
        Examples.Add(
            command,
            """
              kubelb status
              kubelb status --management-context admin@management -o json

            Exit code 0 if there is no problem, 1 if there is one, 2 for an invalid command line.
            """
        );
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var clusters = connection.Open(parsed);
                var now = TimeProvider.System.GetUtcNow();
                var status = await clusters
                    .EvaluateAsync(
                        (_, management) => InstallationStatus.Read(management, connection.ManagerNamespace(parsed), now),
                        cancellationToken
                    )
                    .ConfigureAwait(false);
                var writer = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) is { } format && format != "table")
                {
                    await writer.WriteAsync(CommandOutput.Serialize(status, format)).ConfigureAwait(false);
                }
                else
                {
                    StatusOutput.Write(CommandOutput.Console(writer), status, now);
                }

                return status.IsHealthy ? ExitCodes.Ok : ExitCodes.Failed;
            }
        );
        return command;
    }
}
