using System.CommandLine;
using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Overview;
using Spectre.Console;
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
                    Write(CommandOutput.Console(writer), status, now);
                }

                return status.IsHealthy ? ExitCodes.Ok : ExitCodes.Failed;
            }
        );
        return command;
    }

    private static void Write(IAnsiConsole console, InstallationStatus status, DateTimeOffset now)
    {
        console.WriteLine(MessageText.Escape($"Manager {status.Version ?? "has not reported"}"));
        console.WriteLine();
        var table = new Table { Border = TableBorder.None };
        table.AddColumns("TENANT", "PHASE", "CCM", "LAST SEEN", "ROUTES", "GATEWAYS", "PROXIES", "ADDRESSES");
        foreach (var tenant in status.Tenants)
        {
            table.AddRow(
                new[]
                {
                    tenant.Name,
                    tenant.Phase,
                    tenant.CcmVersion ?? "-",
                    tenant.CcmLastSeen is { } seen ? CommandOutput.Age(now - seen) : "never",
                    Counts(tenant.Routes, tenant.RouteLimit),
                    Counts(tenant.Gateways, tenant.GatewayLimit),
                    tenant.Proxies ?? "-",
                    Number(tenant.Addresses),
                }
                    .Select(CommandOutput.Text)
                    .ToArray()
            );
        }

        if (status.Tenants.Count > 0)
        {
            console.Write(table);
        }
        else
        {
            console.WriteLine("No tenants. Add one: kubelb tenant add NAME");
        }

        console.WriteLine();
        foreach (var certificate in status.Certificates)
        {
            console.WriteLine($"Certificate {certificate.Secret} ends in {CommandOutput.Age(certificate.NotAfter - now)}");
        }

        foreach (
            var (who, problem) in status
                .Problems.Select(p => ("Installation", p))
                .Concat(status.Tenants.SelectMany(t => t.Problems.Select(p => ($"Tenant {t.Name}", p))))
        )
        {
            console.MarkupLine(
                $"{(problem.IsWarning ? "[yellow]![/]" : "[red]✗[/]")} {CommandOutput.Text(who)}: "
                    + $"[bold]{CommandOutput.Text(problem.Reason)}[/] {CommandOutput.Text(problem.Message)}"
            );
        }

        if (status.IsHealthy && status.Problems.Count == 0)
        {
            console.MarkupLine("[green]No problems.[/]");
        }
    }

    private static string Counts(RouteCounts counts, int limit) =>
        $"{Number(counts.Programmed)}/{Number(counts.Total)}"
        + (counts.Rejected > 0 ? $" ({Number(counts.Rejected)} not served)" : "")
        + $", limit {Number(limit)}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
