namespace KubeLB.Benchmarks;

/// <summary>A line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Measured">The figure with its unit.</param>
/// <param name="Target">The target; empty if there is none.</param>
internal sealed record Row(string What, string Measured, string Target = "");

/// <summary>Rows as Markdown.</summary>
internal static class Table
{
    public static void Print(IEnumerable<Row> rows)
    {
        Console.WriteLine("| what | measured | target |");
        Console.WriteLine("|---|---|---|");
        foreach (var row in rows)
        {
            Console.WriteLine($"| {row.What} | {row.Measured} | {row.Target} |");
        }
    }
}
