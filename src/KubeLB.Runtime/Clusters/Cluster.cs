using k8s;
using k8s.Models;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// One API server connection with its typed clients and its shared informers. Registered by <c>AddCluster</c>; get it with
/// <c>[FromKeyedServices("name")] Cluster</c>.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    /// <summary>The name under which the cluster was registered; appears in logs, metrics and probes.</summary>
    public string Name => throw new NotImplementedException();

    /// <summary>The connection, for requests that the typed clients do not cover. These are not counted in the metrics.</summary>
    public IKubernetes Kubernetes => throw new NotImplementedException();

    /// <summary>True if the API server gave any answer to the latest request (an HTTP error is an answer); null before the first.</summary>
    public bool? IsReachable => throw new NotImplementedException();

    /// <summary>The client for one kind. The kind need not be watched.</summary>
    public IResourceClient<T> Client<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>The informer of one kind.</summary>
    /// <exception cref="InvalidOperationException">The kind is not watched in this cluster.</exception>
    public IInformer<T> Informer<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Asks the API server for its version. Never throws for an unreachable server.</summary>
    /// <returns>Null if it answered, otherwise one sentence saying what is wrong.</returns>
    public Task<string?> CheckConnectionAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Stops the informers and closes the connection.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
