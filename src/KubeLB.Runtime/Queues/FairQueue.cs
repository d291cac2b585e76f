namespace KubeLB.Runtime.Queues;

/// <summary>
/// A queue of keys that is first in, first out within a group. The group with the fewest keys in progress is dequeued first, round-robin
/// between groups of the same number, and the keys of one group that are in progress at the same time are limited. A group with many or
/// slow keys therefore delays the keys of other groups by one key at most. Each operation is logarithmic in the number of waiting groups.
/// Not thread-safe.
/// </summary>
/// <param name="groupOf">The group of a key. The keys of the empty group belong to different owners: they have no limit.</param>
/// <param name="limit">The maximum number of keys of one group that are in progress at the same time.</param>
internal sealed class FairQueue<TKey>(Func<TKey, string> groupOf, int limit)
    where TKey : notnull
{
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);

    // The groups of which a key can be dequeued.
    private readonly SortedSet<Group> _ready = new(
        Comparer<Group>.Create(static (a, b) => (a.InProgress, a.Round).CompareTo((b.InProgress, b.Round)))
    );
    private long _rounds;

    /// <summary>The number of waiting keys.</summary>
    public int Count { get; private set; }

    /// <returns>Whether one more key can be dequeued now; false if the key waits for the end of another one of its group.</returns>
    public bool Add(TKey key)
    {
        var name = groupOf(key);
        if (!_groups.TryGetValue(name, out var group))
        {
            _groups[name] = group = new Group(name, name.Length == 0 ? int.MaxValue : limit);
        }

        group.Waiting.Enqueue(key);
        Count++;
        if (group.Waiting.Count == 1)
        {
            group.Round = ++_rounds;
            Schedule(group);
        }

        return group.Waiting.Count <= group.Limit - group.InProgress;
    }

    /// <summary>Dequeues a key; <see cref="Done"/> must follow.</summary>
    /// <exception cref="InvalidOperationException">No key can be dequeued.</exception>
    public TKey Take()
    {
        var group = _ready.Min ?? throw new InvalidOperationException("No key can be dequeued.");
        _ready.Remove(group);
        group.InProgress++;
        group.Round = ++_rounds;
        var key = group.Waiting.Dequeue();
        Count--;
        Schedule(group);
        return key;
    }

    /// <summary>Marks a key of <see cref="Take"/> as processed.</summary>
    /// <returns>Whether one more key can be dequeued: one that waited for the end of this one.</returns>
    public bool Done(TKey key)
    {
        var group = _groups[groupOf(key)];
        _ready.Remove(group);
        var waited = group.Waiting.Count > group.Limit - group.InProgress;
        group.InProgress--;
        Schedule(group);
        if (group is { InProgress: 0, Waiting.Count: 0 })
        {
            _groups.Remove(group.Name);
        }

        return waited;
    }

    private void Schedule(Group group)
    {
        if (group.Waiting.Count > 0 && group.InProgress < group.Limit)
        {
            _ready.Add(group);
        }
    }

    // Changed only while it is not in the sorted set. Rounds are unique, so that the order of two groups is never equal.
    private sealed class Group(string name, int limit)
    {
        public string Name { get; } = name;

        public int Limit { get; } = limit;

        public Queue<TKey> Waiting { get; } = new();

        public int InProgress { get; set; }

        public long Round { get; set; }
    }
}
