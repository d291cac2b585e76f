using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Watching;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>Configures the informers of a cluster.</summary>
public sealed class ClusterBuilder
{
    private readonly Dictionary<ResourceKind, InformerRegistration> _informers = [];

    private readonly HashSet<ResourceKind> _requiredForReadiness = [];

    /// <summary>
    /// Explains a request that the API server forbids, for the log, <c>/readyz</c> and <c>check</c>: returns cause and remedy from the
    /// message of the API server, which names the user, or null for the default text. Null (the default) for none.
    /// </summary>
    public Func<string, string?>? ExplainForbidden { get; set; }

    internal IReadOnlyCollection<InformerRegistration> Informers => _informers.Values;

    /// <summary>
    /// If this is called for a cluster, only these kinds can make the process unready: until their informers have synced, and whenever they
    /// fail with <see cref="KubeRuntimeOptions.NotReadyWhenDisconnected"/>. Errors of the other kinds are reported in <c>/readyz</c> and in
    /// the log. Errors of the whole cluster are not limited by this. If it is not called, every kind is required.
    /// </summary>
    public ClusterBuilder RequiredForReadiness<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        _requiredForReadiness.Add(ResourceKind.Of<T>());
        return this;
    }

    internal bool IsRequiredForReadiness(ResourceKind kind) => _requiredForReadiness.Count == 0 || _requiredForReadiness.Contains(kind);

    /// <summary>Adds an informer for <typeparamref name="T"/>. Repeated calls for a kind configure the same informer.</summary>
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
                $"The informer for {kind} is already registered with type {registration.Type.FullName}; use that type instead of "
                    + $"{typeof(T).FullName}."
            );
        }

        configure?.Invoke(typed.Settings);
        return this;
    }
}

/// <summary>Settings of one informer.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
public sealed class InformerBuilder<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<string, Func<T, IEnumerable<string>>> _indexes = new(StringComparer.Ordinal);

    /// <summary>Restricts the informer to a namespace; null (the default) for all namespaces and cluster-scoped kinds.</summary>
    public string? Namespace { get; set; }

    /// <summary>Label selector (kubectl syntax); null for all objects.</summary>
    public string? LabelSelector { get; set; }

    /// <summary>Field selector (kubectl syntax); null for all objects.</summary>
    public string? FieldSelector { get; set; }

    /// <summary>Which controllers are blocked while the API server does not serve the kind.</summary>
    public WhenAbsent WhenAbsent { get; set; }

    /// <summary>
    /// Whether a kind that this process may not list is treated as one that is not served (<see cref="WhenAbsent"/>): for kinds without
    /// which it can run, so that a missing permission does not stop it. The error is still reported.
    /// </summary>
    public bool MayBeForbidden { get; set; }

    /// <summary>
    /// Maximum number of objects in one response to a list request; null for the default. A page is in memory as a whole.
    /// </summary>
    public int? PageSize { get; set; }

    /// <summary>
    /// Transforms every object before it is stored, to save memory. It may modify its argument. <c>metadata.managedFields</c> is already
    /// removed.
    /// </summary>
    public Func<T, T>? Transform { get; set; }

    internal IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> Indexes => _indexes;

    /// <summary>
    /// Adds an index: <paramref name="values"/> returns the index values of an object for <c>ByIndex</c>. It must be pure.
    /// </summary>
    /// <exception cref="ArgumentException">The name is already in use.</exception>
    public InformerBuilder<T> Index(string name, Func<T, IEnumerable<string>> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(values);
        if (!_indexes.TryAdd(name, values))
        {
            throw new ArgumentException($"The informer for {typeof(T).Name} already has an index \"{name}\".", nameof(name));
        }

        return this;
    }
}

/// <summary>Which controllers are blocked while a kind is not served because its CustomResourceDefinition is not installed.</summary>
public enum WhenAbsent
{
    /// <summary>All controllers that use the kind.</summary>
    BlockAllControllers,

    /// <summary>
    /// The controllers that reconcile the kind. Other controllers run with the content of the store, which is empty if the kind was never
    /// served. <c>/readyz</c> reports that the kind is not served.
    /// </summary>
    BlockOwnControllers,

    /// <summary>None. The list is retried with increasing delays of up to one minute.</summary>
    BlockNone,
}

/// <summary>A registered informer, without its type.</summary>
internal abstract class InformerRegistration(ResourceKind kind, Type type)
{
    public ResourceKind Kind { get; } = kind;

    public Type Type { get; } = type;

    public abstract IInformerRunner Create(InformerDependencies dependencies);
}

/// <summary>A registered informer.</summary>
internal sealed class InformerRegistration<T>(ResourceKind kind, InformerBuilder<T> settings) : InformerRegistration(kind, typeof(T))
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public InformerBuilder<T> Settings { get; } = settings;

    public override IInformerRunner Create(InformerDependencies dependencies) =>
        new Informer<T>(
            dependencies.Cluster.Name,
            dependencies.Cluster.ClientOf<T>(),
            dependencies.Cluster.Transport,
            Settings,
            dependencies.ClusterErrors,
            dependencies.Limits,
            dependencies.Metrics,
            dependencies.Time,
            dependencies.Logger
        );
}

/// <summary>The dependencies of all informers of a cluster.</summary>
internal sealed record InformerDependencies(
    Cluster Cluster,
    ClusterErrors ClusterErrors,
    ReflectorSettings Limits,
    RuntimeMetrics Metrics,
    TimeProvider Time,
    ILogger Logger
);
