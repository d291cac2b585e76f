using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Takes what a <see cref="Reflector{T}"/> learns.</summary>
internal interface IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    void Replace(IReadOnlyList<T> items, string resourceVersion, IReadOnlyList<UndecodableObject> undecodable);

    void Changed(T obj, bool deleted);

    /// <summary>
    /// The API server answers, and does not serve the kind. That says nothing about objects: what is stored stays until the next complete list.
    /// </summary>
    void NotServed();

    /// <summary>A watch ended before its time.</summary>
    /// <param name="reason"><c>dropped</c>, <c>expired</c> or <c>failed</c>.</param>
    void Restarted(string reason);

    void Undecodable(UndecodableObject problem, bool deleted);
}
