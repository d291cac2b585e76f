using KubeLB.Runtime.Hosting;

namespace KubeLB.Manager.Hosting;

/// <summary>This manager's build.</summary>
internal static class ManagerBuild
{
    /// <summary>Its version, for example <c>v1.4.0</c>.</summary>
    public static string Version { get; } = BuildVersion.FromAssembly(typeof(ManagerBuild).Assembly).Version;
}
