using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Sandbox.Demo;

/// <summary>Creates the objects of manifests, like <c>kubectl create</c>.</summary>
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
                throw new NotSupportedException($"Kind {manifest["kind"]} is not supported.");
        }
    }

    /// <summary><c>kind/name</c> in lower case, as printed by kubectl.</summary>
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

/// <summary>Reads Kubernetes manifests.</summary>
internal static class ManifestYaml
{
    /// <summary>Parses the objects of a YAML text with one or more documents.</summary>
    /// <exception cref="FormatException">The text is not valid YAML, or a document is not an object.</exception>
    public static IReadOnlyList<JsonObject> Read(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return
            [
                .. stream.Documents.Select(d =>
                    Convert(d.RootNode) as JsonObject ?? throw new FormatException("A YAML document is not an object.")
                ),
            ];
        }
        catch (YamlException e)
        {
            throw new FormatException($"Invalid YAML at line {e.Start.Line}: {e.Message}", e);
        }
    }

    private static JsonNode? Convert(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new JsonObject(
                mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", Convert(c.Value)))
            ),
            YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
            YamlScalarNode scalar => Convert(scalar),
            _ => throw new FormatException($"{node.NodeType} is not supported in manifests."),
        };

    private static JsonValue? Convert(YamlScalarNode scalar)
    {
        var value = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(value);
        }

        return value switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => JsonValue.Create(
                integer
            ),
            _ when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            _ => JsonValue.Create(value),
        };
    }
}

/// <summary>Reads objects as JSON, like <c>kubectl get -o json</c>.</summary>
internal sealed class ClusterReader(IKubernetes client)
{
    /// <summary>An object of Gateway API; null if it does not exist.</summary>
    public async Task<JsonNode?> GatewayApiAsync(string ns, string plural, string name, CancellationToken cancellationToken) =>
        (await ListAsync(ApiGroups.GatewayApi, "v1", ns, plural, cancellationToken).ConfigureAwait(false)).FirstOrDefault(o =>
            (string?)o["metadata"]?["name"] == name
        );

    /// <summary>All objects of a kind in a namespace; empty if the namespace does not exist.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(
        string group,
        string version,
        string ns,
        string plural,
        CancellationToken cancellationToken
    )
    {
        var list = await client
            .CustomObjects.ListNamespacedCustomObjectAsync(group, version, ns, plural, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return [.. Items(JsonSerializer.SerializeToNode(list))];
    }

    /// <summary>All Services of a namespace.</summary>
    public async Task<IReadOnlyList<JsonNode>> ServicesAsync(string ns, CancellationToken cancellationToken)
    {
        var list = await client.CoreV1.ListNamespacedServiceAsync(ns, cancellationToken: cancellationToken).ConfigureAwait(false);
        return [.. Items(JsonNode.Parse(KubernetesJson.Serialize(list)))];
    }

    private static IEnumerable<JsonNode> Items(JsonNode? list) => (list?["items"]?.AsArray() ?? []).OfType<JsonNode>();
}
