using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Hosting;

/// <summary>Settings of one informer.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
public sealed class InformerBuilder<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<string, Func<T, IEnumerable<string>>> _indexes = new(StringComparer.Ordinal);

    /// <summary>Only this namespace; null (the default) for all, and for cluster-scoped kinds.</summary>
    public string? Namespace { get; set; }

    /// <summary>Only objects that this label selector (kubectl syntax) matches; null for all.</summary>
    public string? LabelSelector { get; set; }

    /// <summary>Only objects that this field selector (kubectl syntax) matches; null for all.</summary>
    public string? FieldSelector { get; set; }

    /// <summary>Who waits while the API server does not serve the kind.</summary>
    public WhenAbsent WhenAbsent { get; set; }

    /// <summary>
    /// Applied to every object before it is stored, to save memory. It may change the object it gets and return it. Runs after
    /// <c>metadata.managedFields</c> has been dropped.
    /// </summary>
    public Func<T, T>? Transform { get; set; }

    internal IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> Indexes => _indexes;

    /// <summary>
    /// Adds an index: <paramref name="values"/> yields the values under which an object is found by <c>ByIndex</c>. Must be pure.
    /// </summary>
    /// <exception cref="ArgumentException">An index of that name exists.</exception>
    public InformerBuilder<T> Index(string name, Func<T, IEnumerable<string>> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(values);
        if (!_indexes.TryAdd(name, values))
        {
            throw new ArgumentException($"The informer of {typeof(T).Name} already has an index \"{name}\".", nameof(name));
        }

        return this;
    }
}
