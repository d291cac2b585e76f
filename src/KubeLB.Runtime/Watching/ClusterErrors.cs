using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Which watched kinds of one cluster suffer from a trouble that is the whole cluster's: the first tells it, the last its end.
/// </summary>
internal sealed class ClusterErrors
{
    private readonly Dictionary<ResourceKind, string> _suffering = [];
    private readonly Lock _gate = new();

    /// <returns>Whether no other kind suffers from the same already.</returns>
    public bool Begins(ResourceKind kind, string category)
    {
        lock (_gate)
        {
            var isFirst = !_suffering.ContainsValue(category);
            _suffering[kind] = category;
            return isFirst;
        }
    }

    /// <returns>Whether no kind suffers any more.</returns>
    public bool Ends(ResourceKind kind)
    {
        lock (_gate)
        {
            return _suffering.Remove(kind) && _suffering.Count == 0;
        }
    }
}
