using System.Net;
using System.Text.Json.Nodes;

namespace KubeLB.TestClusters.External;

/// <summary>The initial objects of an API server, to which it is restored after a test.</summary>
internal sealed class ServerContents
{
    private const string Definitions = "customresourcedefinitions";
    private const string Namespaces = "namespaces";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly string[] OfNamespaces = ["/configmaps/kube-root-ca.crt", "/serviceaccounts/default"];
    private static readonly string[] Holders = [Definitions, Namespaces];
    private static readonly string[] OfServers = ["leases", "endpointslices", "endpoints", "configmaps"];

    private readonly HashSet<string> _paths;
    private readonly Dictionary<string, JsonNode?> _namespaceLabels;

    private ServerContents(HashSet<string> paths, Dictionary<string, JsonNode?> namespaceLabels)
    {
        _paths = paths;
        _namespaceLabels = namespaceLabels;
    }

    /// <summary>Records the present objects.</summary>
    public static async Task<ServerContents> CaptureAsync(ServerAccess access, CancellationToken cancellationToken)
    {
        using var client = new ApiServerClient(access);
        var paths = new HashSet<string>(StringComparer.Ordinal);
        var labels = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var resource in await ResourcesAsync(client, cancellationToken).ConfigureAwait(false))
        {
            foreach (var (path, item) in await ListAsync(client, resource, cancellationToken).ConfigureAwait(false))
            {
                paths.Add(path);
                if (resource.Name == Namespaces)
                {
                    labels[path] = item["metadata"]!["labels"]?.DeepClone();
                }
            }
        }

        return new ServerContents(paths, labels);
    }

    /// <summary>Removes objects added since, also those with finalizers, and waits until they are gone.</summary>
    public async Task RestoreAsync(ServerAccess access, CancellationToken cancellationToken)
    {
        using var client = new ApiServerClient(access);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        var hasControllers = access.Features.HasFlag(ClusterFeatures.Controllers);
        List<string> left = [];
        try
        {
            // Namespaces and CRDs are removed last: objects of a removed namespace or kind cannot be changed.
            foreach (var holders in new[] { false, true })
            {
                do
                {
                    left = await RemoveAddedAsync(client, holders, hasControllers, deadline.Token).ConfigureAwait(false);
                } while (left.Count > 0);
            }

            // Events of other namespaces were removed with them. Until now further Events were possible.
            await client.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/default/events", null, "", deadline.Token).ConfigureAwait(false);
            await RestoreLabelsAsync(client, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"After {Deadline.TotalSeconds:0} s the cluster still holds {string.Join(", ", left)}.", e);
        }
    }

    private async Task<List<string>> RemoveAddedAsync(
        ApiServerClient client,
        bool holders,
        bool hasControllers,
        CancellationToken cancellationToken
    )
    {
        List<string> left = [];
        var resources = await ResourcesAsync(client, cancellationToken).ConfigureAwait(false);
        foreach (var resource in resources.Where(resource => Holders.Contains(resource.Name) == holders))
        {
            foreach (var (path, item) in await ListAsync(client, resource, cancellationToken).ConfigureAwait(false))
            {
                if (!IsKept(resource, path))
                {
                    left.Add(path);
                    await RemoveAsync(client, resource, path, item, hasControllers, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        return left;
    }

    private async Task RestoreLabelsAsync(ApiServerClient client, CancellationToken cancellationToken)
    {
        foreach (var (path, labels) in _namespaceLabels)
        {
            var patch = new JsonArray(
                new JsonObject
                {
                    ["op"] = "add",
                    ["path"] = "/metadata/labels",
                    ["value"] = labels?.DeepClone() ?? new JsonObject(),
                }
            );
            await client.SendAsync(HttpMethod.Patch, path, patch, "application/json-patch+json", cancellationToken).ConfigureAwait(false);
        }
    }

    // Servers create further objects of their own; the default objects of a namespace are removed with it.
    private bool IsKept(Resource resource, string path) =>
        _paths.Contains(path)
        || resource.Name is "events" or "apiservices"
        || OfNamespaces.Any(name => path.EndsWith(name, StringComparison.Ordinal))
        || (OfServers.Contains(resource.Name) && path.Contains("/namespaces/kube-", StringComparison.Ordinal));

    private static async Task RemoveAsync(
        ApiServerClient client,
        Resource resource,
        string path,
        JsonObject item,
        bool hasControllers,
        CancellationToken cancellationToken
    )
    {
        if (resource.Name != Definitions && item["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } };
            await client
                .SendAsync(
                    HttpMethod.Patch,
                    path,
                    patch,
                    "application/merge-patch+json",
                    cancellationToken,
                    HttpStatusCode.NotFound,
                    HttpStatusCode.Conflict
                )
                .ConfigureAwait(false);
        }

        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["gracePeriodSeconds"] = 0,
            ["propagationPolicy"] = "Background",
        };
        await client
            .SendAsync(
                HttpMethod.Delete,
                path,
                options,
                "application/json",
                cancellationToken,
                HttpStatusCode.NotFound,
                HttpStatusCode.Conflict,
                HttpStatusCode.MethodNotAllowed
            )
            .ConfigureAwait(false);
        if (resource.Name == Namespaces && !hasControllers)
        {
            var finalize = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Namespace",
                ["metadata"] = new JsonObject { ["name"] = item["metadata"]!["name"]!.DeepClone() },
                ["spec"] = new JsonObject { ["finalizers"] = new JsonArray() },
            };
            await client
                .SendAsync(
                    HttpMethod.Put,
                    $"{path}/finalize",
                    finalize,
                    "application/json",
                    cancellationToken,
                    HttpStatusCode.NotFound,
                    HttpStatusCode.Conflict
                )
                .ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<Resource>> ResourcesAsync(ApiServerClient client, CancellationToken cancellationToken)
    {
        var groups = (await client.GetAsync("/apis", cancellationToken).ConfigureAwait(false))["groups"]!.AsArray();
        var versions = groups.Select(group => $"/apis/{group!["preferredVersion"]!["groupVersion"]}").Prepend("/api/v1");
        var found = new List<Resource>();
        foreach (var version in versions)
        {
            var (status, list) = await client
                .SendAsync(HttpMethod.Get, version, null, "", cancellationToken, HttpStatusCode.NotFound)
                .ConfigureAwait(false);
            foreach (var resource in status == HttpStatusCode.NotFound ? [] : list["resources"]!.AsArray())
            {
                var name = resource!["name"]!.GetValue<string>();
                var verbs = resource["verbs"]!.AsArray().Select(verb => verb!.GetValue<string>()).ToHashSet();
                if (!name.Contains('/', StringComparison.Ordinal) && verbs.Contains("list") && verbs.Contains("delete"))
                {
                    found.Add(new Resource(version, name));
                }
            }
        }

        return found;
    }

    private static async Task<IReadOnlyList<(string Path, JsonObject Item)>> ListAsync(
        ApiServerClient client,
        Resource resource,
        CancellationToken cancellationToken
    )
    {
        var (status, list) = await client
            .SendAsync(HttpMethod.Get, $"{resource.Version}/{resource.Name}", null, "", cancellationToken, HttpStatusCode.NotFound)
            .ConfigureAwait(false);
        return status == HttpStatusCode.NotFound
            ? []
            : [.. list["items"]!.AsArray().Select(item => (PathOf(resource, item!["metadata"]!), item!.AsObject()))];
    }

    private static string PathOf(Resource resource, JsonNode metadata) =>
        metadata["namespace"] is { } ns
            ? $"{resource.Version}/namespaces/{ns}/{resource.Name}/{Uri.EscapeDataString(metadata["name"]!.GetValue<string>())}"
            : $"{resource.Version}/{resource.Name}/{Uri.EscapeDataString(metadata["name"]!.GetValue<string>())}";

    private sealed record Resource(string Version, string Name);
}
