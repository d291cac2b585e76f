using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using KubeLB.Api;

namespace KubeLB.Sandbox.Demo;

/// <summary>Reads objects as JSON, as <c>kubectl get -o json</c> does.</summary>
internal sealed class ClusterReader(IKubernetes client)
{
    /// <summary>An object of Gateway API; null if it does not exist.</summary>
    public async Task<JsonNode?> GatewayApiAsync(string ns, string plural, string name, CancellationToken cancellationToken) =>
        (await ListAsync(ApiGroups.GatewayApi, "v1", ns, plural, cancellationToken).ConfigureAwait(false)).FirstOrDefault(o =>
            (string?)o["metadata"]?["name"] == name
        );

    /// <summary>All objects of a kind in a namespace; none if the namespace does not exist.</summary>
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
