using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Reads and writes objects of one kind directly at the API server. Every request is counted in the metrics by cluster, verb, resource
/// and status code. Unless a member says otherwise an answer outside 2xx is a <see cref="k8s.Autorest.HttpOperationException"/>.
/// </summary>
/// <typeparam name="T">A model of KubernetesClient or a class of our own that carries <see cref="KubernetesEntityAttribute"/>.</typeparam>
public interface IResourceClient<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The kind that this client reads and writes.</summary>
    ResourceKind Kind { get; }

    /// <summary>Reads one object; null if it does not exist (404).</summary>
    Task<T?> GetAsync(ResourceKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Reads one page of objects, or all of them when <see cref="ListQuery.Limit"/> is null. Objects that cannot be decoded are left out
    /// and named in <see cref="ListResult{T}.Undecodable"/>.
    /// </summary>
    Task<ListResult<T>> ListAsync(ListQuery query, CancellationToken cancellationToken);

    /// <summary>Creates an object in the namespace that its metadata names and returns it as the API server stored it.</summary>
    Task<T> CreateAsync(T obj, CancellationToken cancellationToken);

    /// <summary>Sends a JSON merge patch (RFC 7386) and returns the object as it is afterwards.</summary>
    Task<T> MergePatchAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken);

    /// <summary>
    /// Sends a JSON merge patch to the <c>status</c> subresource; <paramref name="patch"/> is rooted at the object (<c>{"status": …}</c>).
    /// </summary>
    Task<T> MergePatchStatusAsync(ResourceKey key, JsonObject patch, CancellationToken cancellationToken);

    /// <summary>Deletes an object (background propagation).</summary>
    /// <param name="key">What to delete.</param>
    /// <param name="uid">Precondition: delete only this incarnation (409 otherwise). Null for any.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>False if it did not exist (404).</returns>
    Task<bool> DeleteAsync(ResourceKey key, string? uid, CancellationToken cancellationToken);
}
