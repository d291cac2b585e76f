using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Applying;

/// <summary>What an apply left behind.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Object">The object as it is now, as far as the cache knows.</param>
/// <param name="Outcome">Whether a request was needed.</param>
#pragma warning disable CA1720 // "Object" is the word of Kubernetes for it.
public sealed record Applied<T>(T Object, ApplyOutcome Outcome)
#pragma warning restore CA1720
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Whether nothing else was desired than at the last apply: what was patched is what somebody else changed meanwhile.
    /// </summary>
    public bool IsRepair { get; init; }
}

/// <summary>What an apply did.</summary>
public enum ApplyOutcome
{
    /// <summary>Everything was as desired; no request was sent.</summary>
    Unchanged,

    /// <summary>The object did not exist and was created.</summary>
    Created,

    /// <summary>Differences were patched.</summary>
    Patched,
}

/// <summary>How much of a section (such as <c>spec</c>) belongs to the applier.</summary>
public enum ApplyMode
{
    /// <summary>The whole section is ours: keys that others add inside it are removed again (defaults of the API server stay).</summary>
    Exclusive,

    /// <summary>
    /// Only the fields that are desired, now or at an earlier apply, are ours: others legitimately write beside them, as the API server and
    /// cloud controllers do in a Service.
    /// </summary>
    Subset,
}
