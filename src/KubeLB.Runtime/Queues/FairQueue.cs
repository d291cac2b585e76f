namespace KubeLB.Runtime.Queues;

/// <summary>
/// A queue of keys that is first in, first out within a group and round-robin between groups. A group with many keys does not delay the
/// keys of other groups by more than one key per round. Not thread-safe.
/// </summary>
internal sealed class FairQueue<TKey>(Func<TKey, string> groupOf)
    where TKey : notnull
{
    private readonly Dictionary<string, Queue<TKey>> _groups = new(StringComparer.Ordinal);
    private readonly Queue<string> _rounds = new();

    public void Add(TKey key)
    {
        var group = groupOf(key);
        if (!_groups.TryGetValue(group, out var keys))
        {
            _groups[group] = keys = new Queue<TKey>();
            _rounds.Enqueue(group);
        }

        keys.Enqueue(key);
    }

    /// <exception cref="InvalidOperationException">The queue is empty.</exception>
    public TKey Take()
    {
        var group = _rounds.Dequeue();
        var keys = _groups[group];
        var key = keys.Dequeue();
        if (keys.Count == 0)
        {
            _groups.Remove(group);
        }
        else
        {
            _rounds.Enqueue(group);
        }

        return key;
    }
}
