using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Hosting;

/// <summary>Says which kinds of a cluster are watched.</summary>
public sealed class ClusterBuilder
{
    private readonly Dictionary<ResourceKind, InformerRegistration> _informers = [];

    private readonly HashSet<ResourceKind> _needed = [];

    internal IReadOnlyCollection<InformerRegistration> Informers => _informers.Values;

    /// <summary>
    /// Says that the process is of no use without <typeparamref name="T"/>. Once this was called for a cluster, trouble with any kind of it
    /// for which it was not is named in <c>/readyz</c> and in the log, and does not make the process unready. Never called: every kind is
    /// needed.
    /// </summary>
    public ClusterBuilder NeededForReadiness<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        _needed.Add(ResourceKind.Of<T>());
        return this;
    }

    internal bool IsNeededForReadiness(ResourceKind kind) => _needed.Count == 0 || _needed.Contains(kind);

    /// <summary>
    /// Keeps a local copy of <typeparamref name="T"/>. A kind registered twice keeps one informer with the settings of both.
    /// </summary>
    public ClusterBuilder Informer<T>(Action<InformerBuilder<T>>? configure = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        if (!_informers.TryGetValue(kind, out var registration))
        {
            registration = new InformerRegistration<T>(kind, new InformerBuilder<T>());
            _informers.Add(kind, registration);
        }

        if (registration is not InformerRegistration<T> typed)
        {
            throw new InvalidOperationException(
                $"{kind} is already watched as {registration.Type.FullName}; use that type instead of {typeof(T).FullName}."
            );
        }

        configure?.Invoke(typed.Settings);
        return this;
    }
}
