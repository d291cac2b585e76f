using System.Text;
using System.Text.Json;

namespace KubeLB.Translation.Tenants;

/// <summary>Writes the kubeconfig with which a tenant's CCM reaches the management cluster.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/</remarks>
public static class CcmKubeconfig
{
    private const string Cluster = "kubelb";

    /// <summary>The same input gives the same text, so that nothing is written anew without need.</summary>
    /// <param name="server">URL of the API server.</param>
    /// <param name="authority">The certificate authority in PEM; empty if the system's are to be trusted.</param>
    /// <param name="user">Name of the user entry.</param>
    /// <param name="token">The bearer token.</param>
    /// <param name="namespace">Default namespace.</param>
    public static string Write(string server, ReadOnlySpan<byte> authority, string user, string token, string @namespace)
    {
        var text = new StringBuilder("apiVersion: v1\nkind: Config\nclusters:\n  - name: ")
            .Append(Cluster)
            .Append("\n    cluster:\n      server: ")
            .Append(Quoted(server))
            .Append('\n');
        if (!authority.IsEmpty)
        {
            text.Append("      certificate-authority-data: ").Append(Convert.ToBase64String(authority)).Append('\n');
        }

        return text.Append("contexts:\n  - name: ")
            .Append(Cluster)
            .Append("\n    context:\n      cluster: ")
            .Append(Cluster)
            .Append("\n      namespace: ")
            .Append(Quoted(@namespace))
            .Append("\n      user: ")
            .Append(Quoted(user))
            .Append("\ncurrent-context: ")
            .Append(Cluster)
            .Append("\nusers:\n  - name: ")
            .Append(Quoted(user))
            .Append("\n    user:\n      token: ")
            .Append(Quoted(token))
            .Append('\n')
            .ToString();
    }

    // A JSON string is a YAML scalar, whatever is in it.
    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}
