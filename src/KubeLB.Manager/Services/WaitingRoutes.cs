namespace KubeLB.Manager.Services;

/// <summary>Routes that found no port, in the order in which they came. Not thread-safe.</summary>
internal sealed class WaitingRoutes
{
    private readonly SortedDictionary<long, string> _byTurn = [];
    private readonly Dictionary<string, long> _turns = new(StringComparer.Ordinal);
    private long _next;

    /// <summary>Adds a Route at the end; one that waits keeps its place.</summary>
    public void Add(string route)
    {
        if (_turns.TryAdd(route, _next))
        {
            _byTurn.Add(_next++, route);
        }
    }

    /// <summary>Removes a Route; nothing happens if it does not wait.</summary>
    public void Remove(string route)
    {
        if (_turns.Remove(route, out var turn))
        {
            _byTurn.Remove(turn);
        }
    }

    /// <summary>Removes the first Routes, at most so many, and returns them.</summary>
    public IReadOnlyList<string> Take(int count)
    {
        var first = _byTurn.Values.Take(count).ToList();
        first.ForEach(Remove);
        return first;
    }
}
