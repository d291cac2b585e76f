using System.Globalization;
using KubeLB.Inspection.Metrics;
using Spectre.Console;

namespace KubeLB.Cli.Rendering;

/// <summary>Prints the traffic as tables, JSON or YAML.</summary>
internal sealed class TopOutput(TextWriter output, string format, TimeProvider? time = null)
{
    private const string None = "–";

    private static readonly string[] Figures = ["REQ/S", "REQUESTS", "5XX/S", "5XX", "FAILED CONN", "P50", "P95", "P99", "CONN"];

    /// <summary>Prints a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="isUpdate">Whether an earlier one was printed before.</param>
    public async Task WriteAsync(TrafficReport report, bool isUpdate = false)
    {
        if (format != "table")
        {
            var separator = isUpdate && format == CommandOutput.Yaml ? "---\n" : "";
            await output.WriteAsync(separator + CommandOutput.Serialize(report, format)).ConfigureAwait(false);
            return;
        }

        var console = CommandOutput.Console(output);
        if (isUpdate && console.Profile.Capabilities.Ansi)
        {
            console.Clear();
        }
        else if (isUpdate)
        {
            var now = (time ?? TimeProvider.System).GetUtcNow().ToLocalTime();
            console.WriteLine($"--- {now.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}");
        }

        WriteTables(console, report);
    }

    private static void WriteTables(IAnsiConsole console, TrafficReport report)
    {
        if (report.Tenants.Count > 0)
        {
            var tenants = NewTable("TENANT", "PROXIES");
            foreach (var tenant in report.Tenants)
            {
                Add(tenants, [tenant.Tenant, Number(tenant.Proxies)], tenant.Total);
            }

            if (report.Tenants.Count > 1)
            {
                Add(tenants, ["total", Number(report.Tenants.Sum(t => t.Proxies))], report.Total);
            }

            console.Write(tenants);
            console.WriteLine();
        }

        var rows = report
            .Tenants.SelectMany(t => t.Backends.Select(b => (t.Tenant, Backend: b)))
            .OrderByDescending(r => r.Backend.Figures.Requests)
            .ToList();
        if (rows.Count > 0)
        {
            var routes = NewTable("TENANT", "ROUTE", "SERVICE");
            foreach (var (tenant, backend) in rows)
            {
                Add(routes, [tenant, RouteOf(backend.Target), backend.Target.Service ?? None], backend.Figures);
            }

            console.Write(routes);
            console.WriteLine();
        }

        foreach (var problem in report.Problems)
        {
            var about = problem.Tenants.Count == 0 ? "" : $"Tenant {string.Join(", ", problem.Tenants)}: ";
            console.MarkupLine(
                $"[red]✗[/] {CommandOutput.Text(about)}[bold]{CommandOutput.Text(problem.Reason)}[/] {CommandOutput.Text(problem.Message)}"
            );
        }
    }

    private static string RouteOf(TrafficTarget target) =>
        target.Kind is null ? "(deleted)" : $"{target.Kind} {target.Namespace}/{target.Name}";

    private static Table NewTable(params string[] names)
    {
        var table = new Table { Border = TableBorder.None };
        table.AddColumns(names);
        foreach (var figure in Figures)
        {
            table.AddColumn(new TableColumn(figure).RightAligned());
        }

        return table;
    }

    private static void Add(Table table, IEnumerable<string> names, TrafficFigures? figures)
    {
        IEnumerable<string> values = figures is null
            ? Enumerable.Repeat(None, Figures.Length)
            :
            [
                Rate(figures.RequestsPerSecond),
                Number(figures.Requests),
                Rate(figures.ErrorsPerSecond),
                Percentage(figures),
                Number(figures.FailedConnections),
                Duration(figures.Latency?.P50),
                Duration(figures.Latency?.P95),
                Duration(figures.Latency?.P99),
                Number(figures.Connections),
            ];
        var isFailing = figures is { Errors: > 0 } or { FailedConnections: > 0 };
        table.AddRow([
            .. names.Select(CommandOutput.Text),
            .. values.Select((value, i) => isFailing && i is 2 or 3 or 4 && value is not ("0" or "0%") ? $"[red]{value}[/]" : value),
        ]);
    }

    // A response may be to a request of the interval before.
    private static string Percentage(TrafficFigures figures) =>
        figures is { Requests: 0, Errors: 0 }
            ? None
            : (100.0 * figures.Errors / Math.Max(figures.Requests, figures.Errors)).ToString("0.#", CultureInfo.InvariantCulture) + "%";

    private static string Rate(double perSecond) => perSecond.ToString(perSecond >= 100 ? "0" : "0.##", CultureInfo.InvariantCulture);

    private static string Duration(double? milliseconds) =>
        milliseconds is not { } time ? None
        : time >= 10_000 ? (time / 1000).ToString("0.#", CultureInfo.InvariantCulture) + "s"
        : time.ToString(time >= 10 ? "0" : "0.#", CultureInfo.InvariantCulture) + "ms";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
