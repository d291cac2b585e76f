namespace KubeLB.Runtime.Queues;

/// <summary>
/// Keys in the order in which they get their turn: first come, first served within a group, and the groups in turns. However many keys one
/// group adds, a key of another waits for at most one of them. Not thread-safe.
/// </summary>
internal sealed class FairQueue<TKey>(Func<TKey, string> groupOf)
    where TKey : notnull
{
    private readonly Dictionary<string, Queue<TKey>> _groups = new(StringComparer.Ordinal);
    private readonly Queue<string> _turns = new();

    public void Add(TKey key)
    {
        var group = groupOf(key);
        if (!_groups.TryGetValue(group, out var keys))
        {
            _groups[group] = keys = new Queue<TKey>();
            _turns.Enqueue(group);
        }

        keys.Enqueue(key);
    }

    /// <exception cref="InvalidOperationException">No key waits.</exception>
    public TKey Take()
    {
        var group = _turns.Dequeue();
        var keys = _groups[group];
        var key = keys.Dequeue();
        if (keys.Count == 0)
        {
            _groups.Remove(group);
        }
        else
        {
            _turns.Enqueue(group);
        }

        return key;
    }
}
