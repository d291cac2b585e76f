using System.CommandLine;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Metrics;
using KubeLB.Runtime.CommandLine;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb top</c>: the traffic of tenants and routes, from the metrics of the proxies.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(10);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var connection = new ManagementOptions();
        var tenant = Text("--tenant", "Name of the only Tenant to show");
        var interval = Text("--interval", "Time between the two readings of the metrics, 1s to 10m", "5s");
        var watch = Switch("--watch", "Repeat until Ctrl-C");
        watch.Aliases.Add("-w");
        var output = OneOf("--output", "Format of the output", "table", "table", CommandOutput.Json, CommandOutput.Yaml);
        output.Aliases.Add("-o");
        var command = new Command("top", "Show requests, errors, latencies and connections of tenants and routes")
        {
            tenant,
            interval,
            watch,
            output,
        };
        connection.AddTo(command, readsManager: false);
        Examples.Add(
            command,
            """
              kubelb top
              kubelb top --tenant my-tenant --watch --interval 10s
              kubelb top --management-context admin@management -o json

            The metrics are read twice through the API server of the management cluster: your user needs the verb get on pods/proxy.
            Exit code 0 if all metrics were read, 1 if some could not be, 2 for an invalid command line.
            """
        );
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var length = IntervalOf(parsed.GetValue(interval)!);
                var only = parsed.GetValue(tenant) is { Length: > 0 } named ? TenantNames.Namespace(named) : null;
                await using var clusters = connection.Open(parsed);
                var writer = new TopOutput(parsed.InvocationConfiguration.Output, parsed.GetValue(output)!);
                var isUpdate = false;
                var reports = TrafficReport.WatchAsync(clusters, only, length, TimeProvider.System, cancellationToken);
                await foreach (var report in reports.ConfigureAwait(false))
                {
                    await writer.WriteAsync(report, isUpdate).ConfigureAwait(false);
                    isUpdate = true;
                    if (!parsed.GetValue(watch))
                    {
                        return report.Problems.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
                    }
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static TimeSpan IntervalOf(string text) =>
        GatewayDuration.Parse(text) is { } interval && interval >= MinInterval && interval <= MaxInterval
            ? interval
            : throw new UsageException($"--interval: invalid value \"{text}\"; must be 1s to 10m, for example 5s.");
}
