using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace KubeLB.Sandbox.Manifests;

/// <summary>Creates the objects of manifests, as <c>kubectl create</c> does.</summary>
internal static class ManifestClient
{
    private static readonly string[] ClusterScoped = [V1ClusterRole.KubeKind, V1ClusterRoleBinding.KubeKind];

    /// <summary>Creates an object.</summary>
    public static async Task CreateAsync(IKubernetes client, JsonObject manifest, CancellationToken cancellationToken)
    {
        var (group, version) = GroupVersion(manifest);
        if (ClusterScoped.Contains((string?)manifest["kind"]))
        {
            await client
                .CustomObjects.CreateClusterCustomObjectAsync(
                    manifest,
                    group,
                    version,
                    Plural(manifest),
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
            return;
        }

        var ns = (string?)manifest["metadata"]?["namespace"] ?? "default";
        if (group.Length > 0)
        {
            await client
                .CustomObjects.CreateNamespacedCustomObjectAsync(
                    manifest,
                    group,
                    version,
                    ns,
                    Plural(manifest),
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
            return;
        }

        switch ((string?)manifest["kind"])
        {
            case V1Service.KubeKind:
                var service = KubernetesJson.Deserialize<V1Service>(manifest.ToJsonString());
                await client.CoreV1.CreateNamespacedServiceAsync(service, ns, cancellationToken: cancellationToken).ConfigureAwait(false);
                break;
            case V1Secret.KubeKind:
                var secret = KubernetesJson.Deserialize<V1Secret>(manifest.ToJsonString());
                await client.CoreV1.CreateNamespacedSecretAsync(secret, ns, cancellationToken: cancellationToken).ConfigureAwait(false);
                break;
            case V1ServiceAccount.KubeKind:
                var account = KubernetesJson.Deserialize<V1ServiceAccount>(manifest.ToJsonString());
                await client
                    .CoreV1.CreateNamespacedServiceAccountAsync(account, ns, cancellationToken: cancellationToken)
                    .ConfigureAwait(false);
                break;
            default:
                throw new NotSupportedException($"Manifests of kind {manifest["kind"]} are not supported here.");
        }
    }

    /// <summary><c>kind/name</c> in lower case, as kubectl prints it.</summary>
    public static string NameOf(JsonObject manifest)
    {
        var (group, _) = GroupVersion(manifest);
        var kind = ((string)manifest["kind"]!).ToLowerInvariant();
        return $"{kind}{(group.Length > 0 ? "." : "")}{group}/{manifest["metadata"]!["name"]}";
    }

    private static (string Group, string Version) GroupVersion(JsonObject manifest)
    {
        var parts = ((string)manifest["apiVersion"]!).Split('/');
        return parts.Length == 2 ? (parts[0], parts[1]) : ("", parts[0]);
    }

    private static string Plural(JsonObject manifest) => ((string)manifest["kind"]!).ToLowerInvariant() + "s";
}
