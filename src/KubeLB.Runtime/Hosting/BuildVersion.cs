using System.Reflection;

namespace KubeLB.Runtime.Hosting;

/// <summary>The version and commit of an executable.</summary>
/// <param name="Name">Name of the executable, for example <c>kubelb-manager</c>.</param>
/// <param name="Version">Its version, for example <c>v1.4.0</c>.</param>
/// <param name="Commit">The first seven digits of the commit; null if unknown.</param>
/// <param name="CommitDate">Date of the commit, for example <c>2026-11-29</c>; null if unknown.</param>
public sealed record BuildVersion(string Name, string Version, string? Commit, string? CommitDate)
{
    /// <summary>Key of <see cref="CommitDate"/> in the metadata of the assembly.</summary>
    public const string CommitDateKey = "CommitDate";

    private const int ShortCommit = 7;

    /// <summary>The commit, or <c>unknown</c>.</summary>
    public string CommitOrUnknown => Commit ?? "unknown";

    /// <summary>Reads the version from the attributes of an assembly.</summary>
    public static BuildVersion FromAssembly(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var name = assembly.GetName();
        var informational =
            assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? name.Version!.ToString(3);
        var date = assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => m.Key == CommitDateKey)?.Value;
        return Parse(name.Name!, informational, date);
    }

    /// <summary>Parses a version.</summary>
    /// <param name="name">Name of the executable.</param>
    /// <param name="informationalVersion">A semantic version with the commit as its build metadata: <c>1.4.0+0123456789abcdef</c>.</param>
    /// <param name="commitDate">Date of the commit; null or empty if unknown.</param>
    public static BuildVersion Parse(string name, string informationalVersion, string? commitDate)
    {
        ArgumentNullException.ThrowIfNull(informationalVersion);
        var parts = informationalVersion.Split('+', 2);
        var commit = parts.Length == 2 && parts[1].Length > 0 ? parts[1][..Math.Min(ShortCommit, parts[1].Length)] : null;
        return new BuildVersion(name, "v" + parts[0], commit, commit is null || string.IsNullOrEmpty(commitDate) ? null : commitDate);
    }

    /// <summary>The output of <c>--version</c>, for example <c>kubelb-manager v1.4.0 (commit 0123456, 2026-11-29)</c>.</summary>
    public override string ToString() =>
        CommitDate is null ? $"{Name} {Version} (commit {CommitOrUnknown})" : $"{Name} {Version} (commit {CommitOrUnknown}, {CommitDate})";
}
