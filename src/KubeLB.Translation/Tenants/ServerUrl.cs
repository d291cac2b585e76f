using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// Under which URL tenants reach the management cluster's API server: what Config says, else what the cluster says of itself.
/// </summary>
/// <param name="Url">The URL; null if nothing gives one.</param>
/// <param name="Problem">Where there is no URL: a sentence that says what to configure.</param>
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
    /// <param name="configName"><c>namespace/name</c> of the Config, for the sentence.</param>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="published">The server that ConfigMap <c>cluster-info</c> of <c>kube-public</c> names; null if it names none.</param>
    /// <param name="slices">The EndpointSlices of Service <c>kubernetes</c> in <c>default</c>.</param>
    public static ServerUrl Find(string configName, Config? config, string? published, IEnumerable<V1EndpointSlice> slices)
    {
        if (config?.Spec?.ApiServerURL is { Length: > 0 } configured)
        {
            return IsUrl(configured)
                ? new(configured.TrimEnd('/'), null)
                : new(
                    null,
                    $"spec.apiServerURL of Config {configName} is \"{configured}\"; it must be a URL such as https://api.example.com:6443."
                );
        }

        return (OfPublished(published) ?? OfSlices(slices)) is { } url
            ? new(url, null)
            : new(
                null,
                "It is not known under which URL the tenant reaches this API server: there is neither a ConfigMap "
                    + $"{ClusterInfoNamespace}/{ClusterInfoName} with a kubeconfig "
                    + $"nor a ready address in the EndpointSlices of Service default/{ServiceName}; set spec.apiServerURL of Config "
                    + $"{configName}, for example https://api.example.com:6443."
            );
    }

    private static string? OfPublished(string? published) => published is not null && IsUrl(published) ? published.TrimEnd('/') : null;

    // The least address, so that an order that changes changes nothing.
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
