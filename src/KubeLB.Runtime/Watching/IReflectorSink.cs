using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Takes what a <see cref="Reflector{T}"/> learns.</summary>
internal interface IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>A complete list is about to be asked for.</summary>
    void Listing();

    /// <summary>A complete list.</summary>
    /// <param name="items">The objects.</param>
    /// <param name="resourceVersion">The version of the list.</param>
    /// <param name="undecodable">Objects that could not be read.</param>
    /// <param name="suspect">Whether the storage may have been put back, so that one version of an object may have two contents.</param>
    void Replace(IReadOnlyList<T> items, string resourceVersion, IReadOnlyList<UndecodableObject> undecodable, bool suspect);

    void Changed(T obj, bool deleted);

    /// <summary>
    /// The API server answers, and does not serve the kind. That says nothing about objects: what is stored stays until the next complete
    /// list.
    /// </summary>
    void NotServed();

    /// <summary>A watch ended before its time.</summary>
    /// <param name="reason"><c>dropped</c>, <c>expired</c>, <c>failed</c> or <c>relist</c>.</param>
    void Restarted(string reason);

    void Undecodable(UndecodableObject problem, bool deleted);
}
