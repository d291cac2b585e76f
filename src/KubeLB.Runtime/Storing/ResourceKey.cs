using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>Names one object of a kind within a cluster.</summary>
/// <param name="Namespace">The namespace; empty for cluster-scoped objects.</param>
/// <param name="Name">The name within the namespace.</param>
public readonly record struct ResourceKey(string Namespace, string Name)
{
    /// <summary>The key of an object as it is stored in its cluster.</summary>
    /// <exception cref="ArgumentException">The object has no <c>metadata.name</c>.</exception>
    public static ResourceKey Of(IKubernetesObject<V1ObjectMeta> obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        if (string.IsNullOrEmpty(obj.Metadata?.Name))
        {
            throw new ArgumentException($"A {obj.GetType().Name} without metadata.name has no key.", nameof(obj));
        }

        return new ResourceKey(obj.Metadata.NamespaceProperty ?? "", obj.Metadata.Name);
    }

    /// <summary><c>namespace/name</c>, or just the name for cluster-scoped objects.</summary>
    public override string ToString() => string.IsNullOrEmpty(Namespace) ? Name : $"{Namespace}/{Name}";
}
