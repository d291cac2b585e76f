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

    void Undecodable(UndecodableObject problem, bool deleted);
}
