using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Clusters;

/// <summary>What a list request asks for.</summary>
public sealed record ListQuery
{
    /// <summary>Everything in all namespaces.</summary>
    public static ListQuery All { get; } = new();

    /// <summary>Only this namespace; null or empty for all (and for cluster-scoped kinds).</summary>
    public string? Namespace { get; init; }

    /// <summary>Label selector in the syntax of kubectl, or null.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the syntax of kubectl, or null.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>At most this many objects; the answer then carries <see cref="ListResult{T}.Continue"/>. Null for no limit.</summary>
    public int? Limit { get; init; }

    /// <summary>The continue token of the page before, or null.</summary>
    public string? Continue { get; init; }
}

/// <summary>One page of a list.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Items">The objects of this page.</param>
/// <param name="ResourceVersion">The version of the collection; a watch may start here.</param>
/// <param name="Continue">Token for the next page; null on the last one.</param>
/// <param name="Undecodable">Objects of this page that could not be read into <typeparamref name="T"/>.</param>
public sealed record ListResult<T>(
    IReadOnlyList<T> Items,
    string ResourceVersion,
    string? Continue,
    IReadOnlyList<UndecodableObject> Undecodable
)
    where T : class, IKubernetesObject<V1ObjectMeta>;

/// <summary>An object that the API server sent and that does not fit its type.</summary>
/// <param name="Namespace">Its namespace; empty if it has none.</param>
/// <param name="Name">Its name; empty if even that could not be read.</param>
/// <param name="Error">What does not fit.</param>
public sealed record UndecodableObject(string Namespace, string Name, string Error);
