using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>
/// The health of nodes and ports with the real Envoy: what clients notice of failures, with the chosen settings and with others.
/// </summary>
internal sealed class HealthMeasurement(string envoy, bool quick)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(15);

    private readonly List<Row> _rows = [];

    /// <summary>Envoy as KUBELB_ENVOY names it, else on PATH; null where there is none.</summary>
    private static string? Envoy =>
        Environment.GetEnvironmentVariable("KUBELB_ENVOY") is { Length: > 0 } named
            ? named
            : (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .Select(folder => Path.Combine(folder, "envoy"))
                .FirstOrDefault(File.Exists);

    /// <summary>Measures all of it; null, and a sentence on stderr, where that is not possible.</summary>
    public static async Task<IReadOnlyList<Row>?> MeasureAsync(Sizes sizes)
    {
        if (NodeLab.Missing(Envoy) is { } reason)
        {
            await Console.Error.WriteLineAsync($"health needs the real Envoy, root and the program ip: {reason}.");
            return null;
        }

        var measurement = new HealthMeasurement(Envoy!, sizes == Sizes.Quick);
        await measurement.ChosenAsync();
        await measurement.AlternativesAsync();
        return measurement._rows;
    }

    private async Task ChosenAsync()
    {
        var kinds = NodeFailures.Kinds;
        await AddAsync(ChecksAsync(10));
        foreach (var delay in new[] { 0, 0.3, 1, 3 })
        {
            foreach (var asked in new[] { false, true })
            {
                await AddAsync(
                    new PortReadiness(envoy, HealthSettings.Chosen, quick ? 5 : 20).MeasureAsync(TimeSpan.FromSeconds(delay), asked)
                );
            }
        }

        foreach (var kind in kinds)
        {
            await AddAsync(new NodeFailures(envoy, HealthSettings.Chosen, quick ? Short : TimeSpan.FromSeconds(60)).VanishesAsync(kind));
        }

        var failures = new NodeFailures(envoy, HealthSettings.Chosen, Short);
        foreach (var kind in kinds)
        {
            await AddAsync(failures.RefusesAsync(kind));
            await AddAsync(failures.LocalAsync(kind, 2));
        }

        await AddAsync(failures.TwoVanishAsync(kinds[0]));
        await AddAsync(failures.LocalAsync(kinds[0], 20));
        await AddAsync(failures.ResetsAsync(kinds[0], 2, 1));
        await AddAsync(failures.ResetsAsync(kinds[0], 20, 1));
        var open = new LongConnections(envoy, HealthSettings.Chosen, Short);
        foreach (var row in (IReadOnlyList<Row>)[.. await open.NodeVanishesAsync(), .. await open.NodesEjectedAsync()])
        {
            await AddAsync(Task.FromResult(row));
        }
    }

    private async Task AlternativesAsync()
    {
        foreach (var settings in HealthSettings.Alternatives)
        {
            var failures = new NodeFailures(envoy, settings, quick ? Short : TimeSpan.FromSeconds(30));
            await AddAsync(new PortReadiness(envoy, settings, 5).MeasureAsync(TimeSpan.FromSeconds(0.3), asked: true));
            await AddAsync(failures.VanishesAsync(NodeFailures.Kinds[0]));
            await AddAsync(new NodeFailures(envoy, settings, Short).ResetsAsync(NodeFailures.Kinds[0], 2, 1));
        }
    }

    // Connections from an idle proxy to its nodes.
    private async Task<Row> ChecksAsync(int ports)
    {
        await using var lab = await NodeLab.StartAsync(envoy);
        var all = Enumerable.Range(0, ports).Select(i => new ProxyPort($"lab-{i}", 12000 + i, 30080 + i, ProxyProtocol.Http1)).ToList();
        await using var one = await FakeNode.StartAsync(lab.Node(1), HttpProtocols.Http1, [.. all.Select(p => p.NodePort)]);
        await using var two = await FakeNode.StartAsync(lab.Node(2), HttpProtocols.Http1, [.. all.Select(p => p.NodePort)]);
        await lab.ServeAsync([.. all.Select(p => HealthSettings.Chosen.Port(p, [lab.Node(1), lab.Node(2)]))]);
        await Task.Delay(TimeSpan.FromSeconds(10));
        return new Row($"2 nodes, {ports} ports, no traffic: connections to nodes in 10 s", $"{one.Connections + two.Connections}", "0");
    }

    private async Task AddAsync(Task<Row> measuring)
    {
        var row = await measuring;
        _rows.Add(row);
        await Console.Error.WriteLineAsync($"{row.What}: {row.Measured}");
    }
}
