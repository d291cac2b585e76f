namespace KubeLB.Runtime.Events;

/// <summary>A dictionary of limited size that forgets what was not asked for longest. For one thread.</summary>
internal sealed class Recent<TKey, TValue>(int limit)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _order = [];

    public int Count => _nodes.Count;

    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            _order.Remove(node);
        }
        else
        {
            if (_nodes.Count == limit)
            {
                _nodes.Remove(_order.First!.Value.Key);
                _order.RemoveFirst();
            }

            node = new((key, create()));
            _nodes.Add(key, node);
        }

        _order.AddLast(node);
        return node.Value.Value;
    }
}
