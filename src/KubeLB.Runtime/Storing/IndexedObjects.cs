namespace KubeLB.Runtime.Storing;

/// <summary>Objects by key, and keys by index value. Not thread-safe.</summary>
internal sealed class IndexedObjects<T>(
    IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> indexes,
    Action<string, ResourceKey, Exception> indexFailed
)
    where T : class
{
    private readonly Dictionary<ResourceKey, Entry> _entries = [];
    private readonly Dictionary<string, Dictionary<string, HashSet<ResourceKey>>> _indexes = indexes.Keys.ToDictionary(
        name => name,
        _ => new Dictionary<string, HashSet<ResourceKey>>(StringComparer.Ordinal),
        StringComparer.Ordinal
    );

    public int Count => _entries.Count;

    public IEnumerable<ResourceKey> Keys => _entries.Keys;

    public T? Get(ResourceKey key) => _entries.TryGetValue(key, out var entry) ? entry.Object : null;

    public T[] All()
    {
        var all = new T[_entries.Count];
        var i = 0;
        foreach (var entry in _entries.Values)
        {
            all[i++] = entry.Object;
        }

        return all;
    }

    public IReadOnlyList<T> ByIndex(string index, string value) =>
        KeysOf(index).TryGetValue(value, out var keys)
            ? keys.OrderBy(k => k.Namespace, StringComparer.Ordinal)
                .ThenBy(k => k.Name, StringComparer.Ordinal)
                .Select(k => _entries[k].Object)
                .ToArray()
            : [];

    public int CountByIndex(string index, string value) => KeysOf(index).TryGetValue(value, out var keys) ? keys.Count : 0;

    public void Set(ResourceKey key, T obj)
    {
        Unindex(key);
        var values = new Dictionary<string, string[]>(indexes.Count);
        foreach (var (name, valuesOf) in indexes)
        {
            var found = ValuesOf(name, valuesOf, key, obj);
            values[name] = found;
            foreach (var value in found)
            {
                var index = _indexes[name];
                if (!index.TryGetValue(value, out var keys))
                {
                    index[value] = keys = [];
                }

                keys.Add(key);
            }
        }

        _entries[key] = new Entry(obj, values);
    }

    public void Remove(ResourceKey key)
    {
        Unindex(key);
        _entries.Remove(key);
    }

    private string[] ValuesOf(string name, Func<T, IEnumerable<string>> valuesOf, ResourceKey key, T obj)
    {
        try
        {
            return valuesOf(obj).Distinct(StringComparer.Ordinal).ToArray();
        }
#pragma warning disable CA1031 // The failure of an index function for one object must not affect other objects.
        catch (Exception e)
#pragma warning restore CA1031
        {
            indexFailed(name, key, e);
            return [];
        }
    }

    private Dictionary<string, HashSet<ResourceKey>> KeysOf(string index) =>
        _indexes.TryGetValue(index, out var values)
            ? values
            : throw new ArgumentException(
                $"The informer for {typeof(T).Name} has no index \"{index}\"; register it with Index(\"{index}\", …). "
                    + $"Registered: {string.Join(", ", _indexes.Keys)}.",
                nameof(index)
            );

    private void Unindex(ResourceKey key)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            return;
        }

        foreach (var (name, values) in entry.IndexValues)
        {
            var index = _indexes[name];
            foreach (var value in values)
            {
                if (index.TryGetValue(value, out var keys) && keys.Remove(key) && keys.Count == 0)
                {
                    index.Remove(value);
                }
            }
        }
    }

    private readonly record struct Entry(T Object, IReadOnlyDictionary<string, string[]> IndexValues);
}
