using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>One change of an informer's store, as its handlers see it.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Old">What was stored before; null if the object is new.</param>
/// <param name="New">What is stored now; null if the object is gone.</param>
public readonly record struct Change<T>(T? Old, T? New)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The key of the object that changed.</summary>
    public ResourceKey Key => ResourceKey.Of((New ?? Old)!);

    /// <summary>The present objects among <see cref="Old"/> and <see cref="New"/>, old first.</summary>
    public IEnumerable<T> Both()
    {
        if (Old is not null)
        {
            yield return Old;
        }

        if (New is not null)
        {
            yield return New;
        }
    }
}
