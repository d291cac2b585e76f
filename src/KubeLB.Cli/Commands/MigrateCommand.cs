using System.CommandLine;
using KubeLB.Api.Messages;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Migration;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb migrate plan</c>: what would change for an installation of the Go project.</summary>
internal static class MigrateCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create() => new("migrate", "Migrate from the Go project") { Plan() };

    private static Command Plan()
    {
        var connection = new ManagementOptions();
        var output = OneOf("--output", "Format of the output", "text", "text", CommandOutput.Json, CommandOutput.Yaml);
        output.Aliases.Add("-o");
        var command = new Command("plan", "Show what would change for the existing tenants, without changing anything") { output };
        connection.AddTo(command);
        Examples.Add(
            command,
            """
              kubelb migrate plan
              kubelb migrate plan --management-context admin@management -o json

            Exit code 0 if nothing blocks the migration, 1 if something does, 2 for an invalid command line.
            """
        );
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var clusters = connection.Open(parsed);
                var plan = await clusters
                    .EvaluateAsync(
                        (_, management) => MigrationPlan.Read(management, connection.ManagerNamespace(parsed)),
                        cancellationToken
                    )
                    .ConfigureAwait(false);
                var writer = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) is { } format && format != "text")
                {
                    await writer.WriteAsync(CommandOutput.Serialize(plan, format)).ConfigureAwait(false);
                }
                else
                {
                    await WriteAsync(writer, plan).ConfigureAwait(false);
                }

                return plan.Findings.Any(f => f.Impact == MigrationImpact.Blocks) ? ExitCodes.Failed : ExitCodes.Ok;
            }
        );
        return command;
    }

    private static async Task WriteAsync(TextWriter writer, MigrationPlan plan)
    {
        foreach (var finding in plan.Findings)
        {
            var line = $"{(finding.Impact == MigrationImpact.Blocks ? "BLOCKS " : "changes")}  {finding.Subject}: {finding.Message}";
            await writer.WriteLineAsync(MessageText.Escape(line)).ConfigureAwait(false);
        }

        var blocking = plan.Findings.Count(f => f.Impact == MigrationImpact.Blocks);
        await writer
            .WriteLineAsync(
                $"{plan.Routes} Routes read: {blocking} findings block a migration, {plan.Findings.Count - blocking} change something. "
                    + "What changes for every installation is in docs/operator/migration.md."
            )
            .ConfigureAwait(false);
    }
}
