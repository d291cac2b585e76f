using KubeLB.Benchmarks;

var rows = new List<Row>();
foreach (var measure in new Func<Task<IReadOnlyList<Row>>>[] { EmbeddedClusterSpeed.MeasureAsync, InstallationCost.MeasureAsync })
{
    rows.AddRange(await measure());
}

Console.WriteLine("| what | measured | target |");
Console.WriteLine("|---|---|---|");
foreach (var row in rows)
{
    Console.WriteLine($"| {row.What} | {row.Measured} | {row.Target} |");
}
