namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>All that is measured of the health of nodes and ports, with the real Envoy.</summary>
internal static class HealthMeasurement
{
    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes, string[] arguments)
    {
        var envoy = Environment.GetEnvironmentVariable("KUBELB_ENVOY") ?? "/opt/envoy/envoy";
        var time = TimeSpan.FromSeconds(sizes == Sizes.Quick ? 15 : 60);
        var rows = new List<Row>();
        var settings = HealthSettings.All[int.Parse(arguments.ElementAtOrDefault(0) ?? "0")];
        if (arguments.ElementAtOrDefault(1) is "a" or "d")
        {
            var open = new LongConnections(envoy, settings, time);
            var ready = new PortReadiness(envoy, settings, sizes == Sizes.Quick ? 5 : 20);
            foreach (var row in arguments[1] == "d" ? [.. await open.NodeVanishesAsync(), .. await open.NodesEjectedAsync()] : Array.Empty<Row>())
            {
                Console.WriteLine($"{row.What}: {row.Measured}");
            }

            foreach (var delay in arguments[1] == "a" ? new[] { 0, 0.3, 1, 3 } : [])
            {
                foreach (var asked in new[] { false, true })
                {
                    var row = await ready.MeasureAsync(TimeSpan.FromSeconds(delay), asked);
                    Console.WriteLine($"{row.What}: {row.Measured}");
                }
            }

            return rows;
        }

        var kinds = (arguments.ElementAtOrDefault(2) ?? "012345").Select(c => NodeFailures.Kinds[c - '0']);
        foreach (var kind in kinds)
        {
            var failures = new NodeFailures(envoy, settings, time);
            var scenario = arguments.ElementAtOrDefault(1) ?? "v";
            var row = scenario switch
            {
                "v" => await failures.VanishesAsync(kind),
                "2" => await failures.TwoVanishAsync(kind),
                "l" => await failures.LocalAsync(kind, 2),
                "L" => await failures.LocalAsync(kind, 20),
                "r" => await failures.RefusesAsync(kind),
                "x" => await failures.ResetsAsync(kind, 2, 1),
                "X" => await failures.ResetsAsync(kind, 20, 1),
                _ => throw new ArgumentException(scenario),
            };
            Console.WriteLine($"{row.What}: {row.Measured}");
            rows.Add(row);
        }

        return rows;
    }
}
