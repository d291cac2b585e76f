using System.Reflection;

namespace KubeLB.Sandbox.Demo;

/// <summary>The documentation's examples.</summary>
internal static class DemoManifests
{
    /// <summary>The section "Basic HTTPRoute".</summary>
    public static string BasicHttpRoute => Read("basic-httproute");

    private static string Read(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream($"Demo/{name}.yaml")!);
        return reader.ReadToEnd();
    }
}
