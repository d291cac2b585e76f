using k8s;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The objects of a cluster in the caches of its informers.</summary>
/// <param name="cluster">The cluster.</param>
/// <param name="name">Its name in messages.</param>
/// <param name="only">The only namespace that is read; null for all.</param>
/// <param name="option">The option that sets it.</param>
internal sealed class WatchedObjects(Cluster cluster, string name, string? only, string option) : IObjects
{
    /// <inheritdoc />
    public Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = cluster.Informer<T>();
        return new Seen<T>(informer.Get(@namespace, name), OutOfScope<T>(@namespace) ?? Problem(informer));
    }

    /// <inheritdoc />
    public SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = cluster.Informer<T>();
        var labels = Requirements(labelSelector);
        var indexed = labels.Find(l => WatchedKinds.SelectedLabels.Contains(l.Key));
        IEnumerable<T> candidates =
            indexed.Key is not null ? informer.ByIndex(WatchedKinds.ByLabel, WatchedKinds.LabelKey(@namespace, indexed.Key, indexed.Value))
            : @namespace.Length > 0 ? informer.ByIndex(WatchedKinds.ByNamespace, @namespace)
            : informer
                .List()
                .OrderBy(o => o.Metadata.NamespaceProperty, StringComparer.Ordinal)
                .ThenBy(o => o.Metadata.Name, StringComparer.Ordinal);
        return new SeenList<T>(
            [.. candidates.Where(o => labels.TrueForAll(l => o.Metadata.Labels?.TryGetValue(l.Key, out var v) == true && v == l.Value))],
            OutOfScope<T>(@namespace) ?? Problem(informer)
        );
    }

    /// <summary>What a user has to know about a kind; null if its objects are in the cache and are up to date.</summary>
    public string? Error<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        cluster.Informer<T>() is var informer && !informer.HasSynced && informer.LastError is null
            ? $"the {name} is being read"
            : informer.LastError ?? Problem(informer);

    // The Config is read in its own namespace.
    private string? OutOfScope<T>(string @namespace) =>
        only is not null && @namespace.Length > 0 && @namespace != only && typeof(T) != typeof(Config)
            ? $"only namespace {only} of the {name} is read ({option})"
            : null;

    private string? Problem<T>(IInformer<T> informer)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>().FullName;
        return informer.IsComplete ? null
            : informer.LastError is { } error ? error
            : informer.IsAbsent ? $"the {name} does not have the kind {kind}"
            : $"the {name} is being read: {kind}";
    }

    // Traces use equality only.
    private static List<(string Key, string Value)> Requirements(string? labelSelector) =>
        labelSelector is not { Length: > 0 }
            ? []
            :
            [
                .. labelSelector
                    .Split(',')
                    .Select(requirement =>
                        requirement.Split('=') is [{ Length: > 0 } key, var value]
                        && key[^1] != '!'
                        && !key.Contains(' ', StringComparison.Ordinal)
                            ? (key, value)
                            : throw new ArgumentException($"\"{requirement}\" is not KEY=VALUE.", nameof(labelSelector))
                    ),
            ];
}
