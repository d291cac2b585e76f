using System.Net;
using System.Text.Json.Nodes;

namespace KubeLB.TestClusters.External;

/// <summary>What is in an API server: noted when it is new, and brought back to that after a test.</summary>
internal sealed class ServerContents
{
    private const string Definitions = "customresourcedefinitions";
    private const string Namespaces = "namespaces";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string[] NotKept = ["events", "leases", "endpointslices", "endpoints", "configmaps"];

    private readonly HashSet<string> _paths;
    private readonly Dictionary<string, JsonNode?> _namespaceLabels;

    private ServerContents(HashSet<string> paths, Dictionary<string, JsonNode?> namespaceLabels)
    {
        _paths = paths;
        _namespaceLabels = namespaceLabels;
    }

    /// <summary>Notes what is there.</summary>
    public static async Task<ServerContents> NoteAsync(ServerAccess access, CancellationToken cancellationToken)
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

    /// <summary>Removes what came since, finalizers or not, and waits until it is gone.</summary>
    public async Task RestoreAsync(ServerAccess access, CancellationToken cancellationToken)
    {
        using var client = new ApiServerClient(access);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        var hasControllers = access.Features.HasFlag(ClusterFeatures.Controllers);
        while (true)
        {
            var left = 0;
            foreach (var resource in await ResourcesAsync(client, deadline.Token).ConfigureAwait(false))
            {
                var added = (await ListAsync(client, resource, deadline.Token).ConfigureAwait(false)).Where(found => !IsKept(resource, found.Path)).ToList();
                left += added.Count(found => !IsRecreated(resource, found.Path));
                foreach (var (path, item) in added)
                {
                    await RemoveAsync(client, resource, path, item, hasControllers, deadline.Token).ConfigureAwait(false);
                }
            }

            if (left == 0)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), deadline.Token).ConfigureAwait(false);
        }

        foreach (var (path, labels) in _namespaceLabels)
        {
            var patch = new JsonArray(new JsonObject { ["op"] = "add", ["path"] = "/metadata/labels", ["value"] = labels?.DeepClone() ?? new JsonObject() });
            await client.SendAsync(HttpMethod.Patch, path, patch, "application/json-patch+json", deadline.Token).ConfigureAwait(false);
        }
    }

    private bool IsKept(Resource resource, string path) =>
        _paths.Contains(path) || (NotKept.Contains(resource.Name) && IsRecreated(resource, path));

    // The servers keep these up by themselves in their own namespaces.
    private static bool IsRecreated(Resource resource, string path) =>
        (NotKept.Contains(resource.Name) && path.Contains("/namespaces/kube-", StringComparison.Ordinal)) || resource.Name == "events";

    private static async Task RemoveAsync(
        ApiServerClient client, Resource resource, string path, JsonObject item, bool hasControllers, CancellationToken cancellationToken)
    {
        if (resource.Name != Definitions && item["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } };
            await client.SendAsync(HttpMethod.Patch, path, patch, "application/merge-patch+json", cancellationToken, HttpStatusCode.NotFound, HttpStatusCode.Conflict)
                .ConfigureAwait(false);
        }

        var options = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["gracePeriodSeconds"] = 0, ["propagationPolicy"] = "Background",
        };
        await client.SendAsync(HttpMethod.Delete, path, options, "application/json", cancellationToken, HttpStatusCode.NotFound, HttpStatusCode.Conflict, HttpStatusCode.MethodNotAllowed)
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
            await client.SendAsync(HttpMethod.Put, $"{path}/finalize", finalize, "application/json", cancellationToken, HttpStatusCode.NotFound, HttpStatusCode.Conflict)
                .ConfigureAwait(false);
        }
    }

    // Definitions last: their objects go first, without their finalizers.
    private static async Task<IReadOnlyList<Resource>> ResourcesAsync(ApiServerClient client, CancellationToken cancellationToken)
    {
        var groups = (await client.GetAsync("/apis", cancellationToken).ConfigureAwait(false))["groups"]!.AsArray();
        var versions = groups.Select(group => $"/apis/{group!["preferredVersion"]!["groupVersion"]}").Prepend("/api/v1");
        var found = new List<Resource>();
        foreach (var version in versions)
        {
            var (status, list) = await client.SendAsync(HttpMethod.Get, version, null, "", cancellationToken, HttpStatusCode.NotFound).ConfigureAwait(false);
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

        return [.. found.OrderBy(resource => resource.Name == Definitions)];
    }

    private static async Task<IReadOnlyList<(string Path, JsonObject Item)>> ListAsync(
        ApiServerClient client, Resource resource, CancellationToken cancellationToken)
    {
        var (status, list) = await client.SendAsync(HttpMethod.Get, $"{resource.Version}/{resource.Name}", null, "", cancellationToken, HttpStatusCode.NotFound)
            .ConfigureAwait(false);
        return status == HttpStatusCode.NotFound
            ? []
            : [.. list["items"]!.AsArray().Select(item => (PathOf(resource, item!["metadata"]!), item!.AsObject()))];
    }

    private static string PathOf(Resource resource, JsonNode metadata) => metadata["namespace"] is { } ns
        ? $"{resource.Version}/namespaces/{ns}/{resource.Name}/{Uri.EscapeDataString(metadata["name"]!.GetValue<string>())}"
        : $"{resource.Version}/{resource.Name}/{Uri.EscapeDataString(metadata["name"]!.GetValue<string>())}";

    private sealed record Resource(string Version, string Name);
}
