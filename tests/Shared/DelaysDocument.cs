using System.Reflection;

namespace KubeLB.Tests.Shared;

/// <summary>docs/reference/delays.md, compared with the delays of a process.</summary>
public static class DelaysDocument
{
    /// <summary>Names of the delays that a type has as public static fields.</summary>
    public static IEnumerable<string> NamesOf(Type delays) => Fields(delays).Select(f => f.Name);

    /// <summary>The row of a delay as it must begin.</summary>
    public static string RowOf(Type delays, string name) =>
        $"| `{name}` | {Text((TimeSpan)Fields(delays).Single(f => f.Name == name).GetValue(null)!)} |";

    /// <summary>The section of a process.</summary>
    public static string Section(string title) =>
        File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "reference", "delays.md")).Split($"## {title}\n")[1].Split("\n## ")[0];

    private static FieldInfo[] Fields(Type delays) => delays.GetFields(BindingFlags.Public | BindingFlags.Static);

    private static string Text(TimeSpan time) =>
        time < TimeSpan.FromSeconds(1) ? FormattableString.Invariant($"{time.TotalMilliseconds} ms")
        : time < TimeSpan.FromMinutes(1) ? FormattableString.Invariant($"{time.TotalSeconds} s")
        : FormattableString.Invariant($"{time.TotalMinutes} min");
}
