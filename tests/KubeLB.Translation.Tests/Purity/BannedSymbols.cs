using System.Runtime.CompilerServices;

namespace KubeLB.Translation.Tests.Purity;

/// <summary>The entries of the file that forbids symbols while translation is compiled.</summary>
internal static class BannedSymbols
{
    /// <summary>The entries less their messages: <c>T:</c>, <c>M:</c> or <c>P:</c> and a full name.</summary>
    public static IReadOnlyList<string> Entries { get; } =
    [.. File.ReadAllLines(Find()).Where(line => line.Length > 0).Select(line => line.Split(';')[0])];

    /// <summary>What the assembly refers to although the entry forbids it.</summary>
    public static IEnumerable<string> Violations(string entry, AssemblyReferences references)
    {
        var name = entry[2..];
        return entry[..2] switch
        {
            "T:" => references.Types.Where(type =>
                type == name
                || type.StartsWith(name + "`", StringComparison.Ordinal)
                || type.StartsWith(name + ".", StringComparison.Ordinal)
            ),
            "M:" => references.Members.Where(member => member == name),
            "P:" => references.Members.Where(member => member == Accessor(name, "get_") || member == Accessor(name, "set_")),
            _ => throw new NotSupportedException($"{entry}: tests know types (T:), methods (M:) and properties (P:)."),
        };
    }

    private static string Accessor(string property, string prefix) => property.Insert(property.LastIndexOf('.') + 1, prefix);

    private static string Find([CallerFilePath] string thisFile = "")
    {
        for (var folder = Path.GetDirectoryName(thisFile); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, "src", "KubeLB.Translation", "BannedSymbols.txt");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException($"src/KubeLB.Translation/BannedSymbols.txt is in no folder above {thisFile}.");
    }
}
