using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Reads and writes objects of one kind at the API server, without the cache. Metrics count every request by cluster, verb, resource and
/// status code. Unless documented otherwise, a status code outside 2xx throws <see cref="k8s.Autorest.HttpOperationException"/>.
/// </summary>
/// <typeparam name="T">A model class with <see cref="KubernetesEntityAttribute"/>.</typeparam>
public interface IResourceClient<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The kind that this client reads and writes.</summary>
    ResourceKind Kind { get; }

    /// <summary>Reads one object; null if it does not exist (404).</summary>
    Task<T?> GetAsync(ResourceKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Reads one page of objects, or all of them if <see cref="ListQuery.Limit"/> is null. Objects that cannot be decoded are listed in
    /// <see cref="ListResult{T}.Undecodable"/>.
    /// </summary>
    Task<ListResult<T>> ListAsync(ListQuery query, CancellationToken cancellationToken);

    /// <summary>Creates an object in the namespace of its metadata and returns the stored object.</summary>
    Task<T> CreateAsync(T obj, CancellationToken cancellationToken);

    /// <summary>Sends a JSON merge patch (RFC 7386) and returns the patched object.</summary>
    Task<T> MergePatchAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken);

    /// <summary>
    /// Sends a JSON merge patch to the <c>status</c> subresource; <paramref name="patch"/> is rooted at the object (<c>{"status": …}</c>).
    /// </summary>
    Task<T> MergePatchStatusAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken);

    /// <summary>Deletes an object (background propagation).</summary>
    /// <param name="key">Namespace and name.</param>
    /// <param name="uid">The uid of the object as a precondition: another uid results in 409. Null for no precondition.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>False if it did not exist (404).</returns>
    Task<bool> DeleteAsync(ResourceKey key, string? uid, CancellationToken cancellationToken);
}

/// <summary>The parameters of a list request.</summary>
public sealed record ListQuery
{
    /// <summary>All objects in all namespaces.</summary>
    public static ListQuery All { get; } = new();

    /// <summary>Only this namespace; null or empty for all (and for cluster-scoped kinds).</summary>
    public string? Namespace { get; init; }

    /// <summary>Label selector in the syntax of kubectl, or null.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the syntax of kubectl, or null.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>The page size; further pages are read with <see cref="ListResult{T}.Continue"/>. Null for no limit.</summary>
    public int? Limit { get; init; }

    /// <summary>The continue token of the previous page, or null.</summary>
    public string? Continue { get; init; }
}

/// <summary>One page of a list.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Items">The objects of this page.</param>
/// <param name="ResourceVersion">The resourceVersion of the list, from which a watch can start.</param>
/// <param name="Continue">Token for the next page; null on the last one.</param>
/// <param name="Undecodable">Objects of this page that could not be decoded as <typeparamref name="T"/>.</param>
public sealed record ListResult<T>(
    IReadOnlyList<T> Items,
    string ResourceVersion,
    string? Continue,
    IReadOnlyList<UndecodableObject> Undecodable
)
    where T : class, IKubernetesObject<V1ObjectMeta>;

/// <summary>An object that could not be decoded as its type.</summary>
/// <param name="Namespace">Its namespace; empty if it has none.</param>
/// <param name="Name">Its name; empty if it could not be decoded.</param>
/// <param name="Error">The decoding error.</param>
public sealed record UndecodableObject(string Namespace, string Name, string Error);
