using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <inheritdoc />
internal sealed class ResourceClient<T>(ApiTransport transport, string fieldManager) : IResourceClient<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const string MergePatchType = "application/merge-patch+json";

    public ResourceKind Kind { get; } = ResourceKind.Of<T>();

    public async Task<T?> GetAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await SendForObjectAsync(new(HttpMethod.Get, ApiRequest.PathOf(Kind, key), "get", Kind.FullName), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<ListResult<T>> ListAsync(ListQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var parameters = ApiRequest.Query(
            ("labelSelector", query.LabelSelector),
            ("fieldSelector", query.FieldSelector),
            ("limit", query.Limit?.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("continue", query.Continue)
        );
        using var page = await transport
            .SendForJsonAsync(
                new(HttpMethod.Get, ApiRequest.PathOf(Kind, query.Namespace) + parameters, "list", Kind.FullName),
                cancellationToken
            )
            .ConfigureAwait(false);
        var root = page.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("metadata", out var metadata))
        {
            throw new JsonException($"A list of {Kind} has no metadata.");
        }

        var items = new List<T>();
        var undecodable = new List<UndecodableObject>();
        if (root.TryGetProperty("items", out var elements) && elements.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in elements.EnumerateArray())
            {
                if (TryDecode(element, out var item, out var problem))
                {
                    items.Add(item);
                }
                else
                {
                    undecodable.Add(problem);
                }
            }
        }

        var next = metadata.StringOrEmpty("continue");
        return new(items, metadata.StringOrEmpty("resourceVersion"), next.Length == 0 ? null : next, undecodable);
    }

    public Task<T> CreateAsync(T obj, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return CreateAsync(ApiJson.ToJson(obj), obj.Metadata?.NamespaceProperty, cancellationToken);
    }

    public Task<T> CreateAsync(JsonObject obj, string? ns, CancellationToken cancellationToken)
    {
        obj["apiVersion"] = Kind.ApiVersion;
        obj["kind"] = Kind.Kind;
        return SendForObjectAsync(
            new(HttpMethod.Post, ApiRequest.PathOf(Kind, ns) + WriteParameters(), "create", Kind.FullName) { Body = obj.ToJsonString() },
            cancellationToken
        );
    }

    public Task<T> MergePatchAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken) =>
        PatchAsync(key, null, patch, cancellationToken);

    public Task<T> MergePatchStatusAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken) =>
        PatchAsync(key, "status", patch, cancellationToken);

    public async Task<bool> DeleteAsync(ResourceKey key, string? uid, CancellationToken cancellationToken) =>
        (await DeleteAndReturnAsync(key, uid, cancellationToken).ConfigureAwait(false)).Found;

    /// <summary>Deletes an object and returns it if finalizers or a grace period delay its deletion.</summary>
    internal async Task<(bool Found, T? Remaining)> DeleteAndReturnAsync(ResourceKey key, string? uid, CancellationToken cancellationToken)
    {
        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = "Background",
        };
        if (uid is not null)
        {
            options["preconditions"] = new JsonObject { ["uid"] = uid };
        }

        try
        {
            using var response = await transport
                .SendForJsonAsync(
                    new(HttpMethod.Delete, ApiRequest.PathOf(Kind, key), "delete", Kind.FullName) { Body = options.ToJsonString() },
                    cancellationToken
                )
                .ConfigureAwait(false);
            return (true, RemainingObject(response.RootElement));
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return (false, null);
        }
    }

    /// <summary>Decodes one object of a list or a watch. Does not throw.</summary>
    internal bool TryDecode(
        JsonElement element,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? item,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out UndecodableObject? problem
    )
    {
        try
        {
            item = Decode(element);
            _ = ResourceKey.Of(item);
            problem = null;
            return true;
        }
#pragma warning disable CA1031 // Converters of a model may throw any exception; only this object is skipped.
        catch (Exception e)
#pragma warning restore CA1031
        {
            var metadata = element.ValueKind == JsonValueKind.Object && element.TryGetProperty("metadata", out var found) ? found : default;
            item = null;
            problem = new(metadata.StringOrEmpty("namespace"), metadata.StringOrEmpty("name"), e.Message);
            return false;
        }
    }

    private Task<T> PatchAsync(ResourceKey key, string? subresource, JsonObject patch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(patch);
        var resource = subresource is null ? Kind.FullName : $"{Kind.FullName}/{subresource}";
        return SendForObjectAsync(
            new(HttpMethod.Patch, ApiRequest.PathOf(Kind, key, subresource) + WriteParameters(), "patch", resource)
            {
                Body = patch.ToJsonString(),
                ContentType = MergePatchType,
            },
            cancellationToken
        );
    }

    private string WriteParameters() => ApiRequest.Query(("fieldManager", fieldManager));

    private T? RemainingObject(JsonElement response)
    {
        if (
            response.StringOrEmpty("kind") == "Status"
            || !TryDecode(response, out var obj, out _)
            || obj.Metadata.DeletionTimestamp is null
        )
        {
            return null;
        }

        return obj.Metadata.Finalizers is { Count: > 0 } || obj.Metadata.DeletionGracePeriodSeconds > 0 || IsTerminatingNamespace(response)
            ? obj
            : null;
    }

    // The finalizers of a terminating namespace are in its spec.
    private bool IsTerminatingNamespace(JsonElement response) =>
        Kind is { Group: "", Kind: V1Namespace.KubeKind }
        && response.TryGetProperty("spec", out var spec)
        && spec.ValueKind == JsonValueKind.Object
        && spec.TryGetProperty("finalizers", out var finalizers)
        && finalizers.ValueKind == JsonValueKind.Array
        && finalizers.GetArrayLength() > 0;

    private async Task<T> SendForObjectAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var response = await transport.SendForJsonAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(response.RootElement);
    }

    private T Decode(JsonElement element)
    {
        var obj = SharedStrings.Deserialize<T>(element);
        if (obj is null)
        {
            throw new JsonException($"null is not a {Kind.Kind}.");
        }

        // managedFields is removed, because it is not used and is as deeply nested as the object.
        obj.Metadata?.ManagedFields = null;

        // List items have no apiVersion and kind.
        obj.ApiVersion ??= Kind.ApiVersion;
        obj.Kind ??= Kind.Kind;
        return obj;
    }
}

/// <summary>Reads fields of JSON from an API server without throwing.</summary>
internal static class JsonElementExtensions
{
    /// <summary>The value of a string field; empty if the element is not an object or the field is not a string.</summary>
    public static string StringOrEmpty(this JsonElement element, string field) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
}
