using k8s;
using k8s.Models;

namespace KubeLB.Inspection.Access;

/// <summary>The objects of one cluster, as far as they may be read. Look-ups without I/O.</summary>
public interface IObjects
{
    /// <summary>One object.</summary>
    /// <param name="namespace">Its namespace; empty for cluster-scoped kinds.</param>
    /// <param name="name">Its name.</param>
    Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>The objects of a kind.</summary>
    /// <param name="namespace">The namespace; empty for all.</param>
    /// <param name="labelSelector">Label selector in the syntax of kubectl (<c>key=value,…</c>); null for all.</param>
    SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta>;
}

/// <summary>An object that was looked up.</summary>
/// <param name="Value">The object; null if it does not exist, or could not be read.</param>
/// <param name="Unreadable">Why it could not be read; null if it could.</param>
public readonly record struct Seen<T>(T? Value, string? Unreadable = null)
    where T : class
{
    /// <summary>Whether it certainly does not exist.</summary>
    public bool IsAbsent => Value is null && Unreadable is null;
}

/// <summary>A list of objects.</summary>
/// <param name="Items">The objects; none if they could not be read.</param>
/// <param name="Unreadable">Why they could not be read; null if they could.</param>
public readonly record struct SeenList<T>(IReadOnlyList<T> Items, string? Unreadable = null)
    where T : class;

/// <summary>A cluster without a kubeconfig: nothing can be read.</summary>
/// <param name="reason">Why, and which option is missing.</param>
public sealed class NoObjects(string reason) : IObjects
{
    /// <inheritdoc />
    public Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> => new(null, reason);

    /// <inheritdoc />
    public SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta> => new([], reason);
}
