using System.Runtime.CompilerServices;

namespace KubeLB.Tests.Shared;

/// <summary>Finds files of the repository.</summary>
public static class SourceTree
{
    /// <summary>The repository's root folder.</summary>
    public static string Root { get; } = Find();

    private static string Find([CallerFilePath] string thisFile = "")
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(thisFile)!);
        while (!File.Exists(Path.Combine(folder.FullName, "KubeLB.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"KubeLB.sln is in no folder above {thisFile}.");
        }

        return folder.FullName;
    }
}
