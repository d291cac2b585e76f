using System.Reflection;

namespace KubeLB.Sandbox.Composition;

/// <summary>The CustomResourceDefinitions that the sandbox installs.</summary>
internal static class CrdResources
{
    private const string Folder = "Crds/";
    private const string SyncSecrets = "kubelb.k8c.io_syncsecrets.yaml";
    private const string GatewayApiGroup = "gateway.networking.k8s.io_";

    /// <summary>Those of a management cluster: all.</summary>
    public static IEnumerable<string> Management => Read(_ => true);

    /// <summary>Those of a tenant's cluster: Gateway API, and SyncSecret.</summary>
    public static IEnumerable<string> Tenant =>
        Read(name => name == SyncSecrets || name.StartsWith(GatewayApiGroup, StringComparison.Ordinal));

    private static IEnumerable<string> Read(Func<string, bool> wanted)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var resources = assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal));
        foreach (var resource in resources.Order(StringComparer.Ordinal))
        {
            if (wanted(resource[Folder.Length..]))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                yield return reader.ReadToEnd();
            }
        }
    }
}
