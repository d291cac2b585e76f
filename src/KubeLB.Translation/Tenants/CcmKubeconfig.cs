using System.Text;
using System.Text.Json;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tenants;

/// <summary>Writes the kubeconfig with which a tenant's CCM reaches the management cluster.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/</remarks>
public static class CcmKubeconfig
{
    private const string Cluster = "kubelb";

    /// <summary>Writes the kubeconfig. The text depends on the input only, so that it is not rewritten without a change.</summary>
    /// <param name="server">URL of the API server.</param>
    /// <param name="authority">The certificate authority in PEM; empty to trust the system's.</param>
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

    // A JSON string is always a valid YAML scalar.
    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}

/// <summary>
/// The URL under which tenants reach the management cluster's API server. It is read from the Config, else from ConfigMap
/// <c>cluster-info</c>, else from the EndpointSlices of Service <c>kubernetes</c>.
/// </summary>
/// <param name="Url">The URL; null if it is unknown.</param>
/// <param name="Problem">Why there is no URL and what to configure; null if there is one.</param>
public sealed record ServerUrl(string? Url, string? Problem)
{
    /// <summary>Namespace of the ConfigMap in which kubeadm and others publish the cluster's URL.</summary>
    public const string ClusterInfoNamespace = "kube-public";

    /// <summary>Name of that ConfigMap.</summary>
    public const string ClusterInfoName = "cluster-info";

    /// <summary>Name of the API server's own Service, in the namespace <c>default</c>.</summary>
    public const string ServiceName = "kubernetes";

    private const string HttpsPort = "https";

    /// <summary>Finds the URL.</summary>
    /// <param name="configName"><c>namespace/name</c> of the Config, for the message.</param>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="published">The server in ConfigMap <c>cluster-info</c> of <c>kube-public</c>; null if there is none.</param>
    /// <param name="slices">The EndpointSlices of Service <c>kubernetes</c> in <c>default</c>.</param>
    public static ServerUrl Find(string configName, Config? config, string? published, IEnumerable<V1EndpointSlice> slices)
    {
        if (config?.Spec?.ApiServerURL is { Length: > 0 } configured)
        {
            return IsUrl(configured)
                ? new(configured.TrimEnd('/'), null)
                : new(null, TenantMessages.InvalidServerUrl(configName, configured));
        }

        return (OfPublished(published) ?? OfSlices(slices)) is { } url
            ? new(url, null)
            : new(null, TenantMessages.ServerUrlUnknown(configName, $"{ClusterInfoNamespace}/{ClusterInfoName}", $"default/{ServiceName}"));
    }

    private static string? OfPublished(string? published) => published is not null && IsUrl(published) ? published.TrimEnd('/') : null;

    // Uses the lowest address, because the order of addresses may change.
    private static string? OfSlices(IEnumerable<V1EndpointSlice> slices) =>
        slices
            .SelectMany(slice =>
                (slice.Endpoints ?? [])
                    .Where(endpoint => endpoint.Conditions?.Ready != false)
                    .SelectMany(endpoint => endpoint.Addresses ?? [])
                    .Select(address => UrlOf(slice, address))
            )
            .OfType<string>()
            .Order(StringComparer.Ordinal)
            .FirstOrDefault();

    private static string? UrlOf(V1EndpointSlice slice, string address)
    {
        var ports = slice.Ports ?? [];
        var port = (ports.FirstOrDefault(p => p.Name == HttpsPort) ?? ports.FirstOrDefault())?.Port;
        var host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        return port is null ? null : $"https://{host}:{port}";
    }

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp)
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '"' or '\'' or '#');
}
