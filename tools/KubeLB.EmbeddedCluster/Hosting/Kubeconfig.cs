using System.Text;

namespace KubeLB.EmbeddedCluster.Hosting;

/// <summary>Writes kubeconfig files.</summary>
internal static class Kubeconfig
{
    /// <param name="cluster">Name of the cluster and of the context.</param>
    /// <param name="server">URL of the API server.</param>
    /// <param name="caPem">The authority that signed the server's certificate; null for plain HTTP.</param>
    /// <param name="user">Name of the user entry.</param>
    /// <param name="token">The user's bearer token.</param>
    /// <param name="namespace">Default namespace of the context; null for <c>default</c>.</param>
    public static string Write(string cluster, Uri server, string? caPem, string user, string token, string? @namespace)
    {
        var text = new StringBuilder();
        text.Append("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n");
        if (caPem is not null)
        {
            text.Append("    certificate-authority-data: ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(caPem))).Append('\n');
        }
        text.Append("    server: ").Append(server.GetLeftPart(UriPartial.Authority)).Append('\n');
        text.Append("  name: ").Append(cluster).Append("\ncontexts:\n- context:\n    cluster: ").Append(cluster);
        if (@namespace is not null)
        {
            text.Append("\n    namespace: ").Append(@namespace);
        }
        text.Append("\n    user: ").Append(user).Append("\n  name: ").Append(cluster);
        text.Append("\ncurrent-context: ").Append(cluster).Append("\nusers:\n- name: ").Append(user);
        text.Append("\n  user:\n    token: ").Append(token).Append('\n');
        return text.ToString();
    }
}
