using System.Reflection;

namespace KubeLB.Runtime.Hosting;

/// <summary>Versions of this product's assemblies.</summary>
public static class BuildVersion
{
    /// <summary>The version of an assembly, for example <c>v1.4.0</c>.</summary>
    public static string Of(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        return "v" + assembly.GetName().Version!.ToString(3);
    }
}
