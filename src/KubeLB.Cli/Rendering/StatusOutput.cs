using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Inspection.Overview;
using Spectre.Console;

namespace KubeLB.Cli.Rendering;

/// <summary>Prints the state of an installation for people.</summary>
internal static class StatusOutput
{
    /// <summary>Prints the tenants, the certificates and the problems.</summary>
    /// <param name="console">The console.</param>
    /// <param name="status">The state.</param>
    /// <param name="now">The current time, for ages.</param>
    public static void Write(IAnsiConsole console, InstallationStatus status, DateTimeOffset now)
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
