namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>The last changes of one table, for watches that resume. Protected by the store's lock.</summary>
internal sealed class WatchHistory(int capacity, long startRevision)
{
    private WatchEvent[] _events = new WatchEvent[Math.Min(capacity, 64)];
    private int _first;
    private int _count;

    /// <summary>The oldest resourceVersion that a watch can resume from.</summary>
    public long OldestResumable { get; private set; } = startRevision;

    public void Add(WatchEvent change)
    {
        if (_count == _events.Length && _events.Length < capacity)
        {
            Grow();
        }
        if (_count == _events.Length)
        {
            OldestResumable = _events[_first].Revision;
            _events[_first] = change;
            _first = (_first + 1) % _events.Length;
            return;
        }
        _events[(_first + _count) % _events.Length] = change;
        _count++;
    }

    /// <summary>Changes after <paramref name="revision"/>, oldest first.</summary>
    public IEnumerable<WatchEvent> After(long revision)
    {
        for (var i = 0; i < _count; i++)
        {
            var change = _events[(_first + i) % _events.Length];
            if (change.Revision > revision)
            {
                yield return change;
            }
        }
    }

    /// <summary>Removes all changes up to <paramref name="revision"/>, as etcd compaction does.</summary>
    public void Compact(long revision)
    {
        while (_count > 0 && _events[_first].Revision <= revision)
        {
            _events[_first] = null!;
            _first = (_first + 1) % _events.Length;
            _count--;
        }
        OldestResumable = Math.Max(OldestResumable, revision);
    }

    private void Grow()
    {
        var larger = new WatchEvent[Math.Min(capacity, _events.Length * 2)];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = _events[(_first + i) % _events.Length];
        }
        _events = larger;
        _first = 0;
    }
}
