using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Runtime.Storing;

namespace KubeLB.Manager.Tenants;

/// <summary>What the removal of a Tenant waits for, in words: how many, one of them, and who holds it. Pure.</summary>
internal static class RemovalMessages
{
    /// <summary>Objects that are not gone yet.</summary>
    /// <param name="kind">Their kind.</param>
    /// <param name="tenantNamespace">Their namespace.</param>
    /// <param name="left">The objects, one at least.</param>
    /// <param name="generatedFrom">What was made of one of them and is not gone either.</param>
    public static string Objects<T>(
        string kind,
        string tenantNamespace,
        IReadOnlyList<T> left,
        Func<T, IEnumerable<IKubernetesObject<V1ObjectMeta>>> generatedFrom
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // One that somebody holds tells more than one whose turn it is.
        var (example, holder) = left.OrderBy(o => o.Metadata.Name, StringComparer.Ordinal)
            .Select(o => (Object: o, Holder: HolderOf(o) ?? generatedFrom(o).Select(HolderOf).FirstOrDefault(h => h is not null)))
            .OrderBy(o => o.Holder is null)
            .First();
        var count = left.Count == 1 ? $"1 {kind}" : $"{left.Count} {kind}s";
        return $"Waiting for {count} in namespace {tenantNamespace} to be removed, for example {example.Metadata.Name}{Origin(example)}{(holder is null ? "" : $"; {holder}")}.";
    }

    /// <summary>The namespace itself; with what the cluster says that it waits for.</summary>
    public static string Namespace(V1Namespace @namespace, string adjective = "")
    {
        var said = (@namespace.Status?.Conditions ?? [])
            .Where(c => c.Status == ConditionStatus.True && !string.IsNullOrEmpty(c.Message))
            .OrderBy(c => c.Type, StringComparer.Ordinal)
            .Select(c => c.Message.TrimEnd('.'))
            .ToList();
        return $"Waiting for the {adjective}namespace {@namespace.Name()} to be removed{(said.Count == 0 ? "" : $": {string.Join("; ", said)}")}.";
    }

    private static string? HolderOf(IKubernetesObject<V1ObjectMeta> value)
    {
        var others = value.Metadata.DeletionTimestamp is null
            ? []
            : (value.Metadata.Finalizers ?? []).Where(f => f != Finalizers.Cleanup).ToList();
        return others.Count == 0
            ? null
            : $"{value.Kind} {ResourceKey.Of(value)} is held by the finalizer{(others.Count == 1 ? "" : "s")} {string.Join(", ", others)}";
    }

    private static string Origin(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.Labels is { } labels
        && labels.TryGetValue(Labels.OriginName, out var name)
        && labels.TryGetValue(Labels.OriginNamespace, out var @namespace)
            ? $" ({(labels.TryGetValue(Labels.OriginResourceKind, out var kind) ? kind.Split('.')[0] + " " : "")}{@namespace}/{name} of the tenant)"
            : "";
}
