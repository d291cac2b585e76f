using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Images;

/// <summary>The paths that <c>.dockerignore</c> excludes from the build: the last matching pattern decides.</summary>
internal sealed class DockerIgnore
{
    private readonly List<(Regex Pattern, bool Excludes)> _rules =
    [
        .. File.ReadLines(Path.Combine(SourceTree.Root, ".dockerignore"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => (Pattern(line.TrimStart('!')), line[0] != '!')),
    ];

    /// <summary>Whether a file is excluded.</summary>
    /// <param name="path">Its path from the root of the repository.</param>
    public bool Matches(string path) => _rules.LastOrDefault(r => r.Pattern.IsMatch(path)).Excludes;

    private static Regex Pattern(string line)
    {
        var escaped = Regex
            .Escape(line)
            .Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        return new Regex($"^{escaped}(/.*)?$", RegexOptions.CultureInvariant);
    }
}
