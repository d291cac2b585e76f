using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Takes what a <see cref="Reflector{T}"/> learns.</summary>
internal interface IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    void Replace(IReadOnlyList<T> items, string resourceVersion, IReadOnlyList<UndecodableObject> undecodable);

    /// <summary>The kind is not served: there are no objects of it.</summary>
    void Absent();

    void Changed(T obj, bool deleted);

    /// <summary>The API server answers, and does not know the kind.</summary>
    void NotServed();

    /// <summary>A watch ended before its time.</summary>
    /// <param name="reason"><c>dropped</c>, <c>expired</c> or <c>failed</c>.</param>
    void Restarted(string reason);

    void Undecodable(UndecodableObject problem, bool deleted);
}
