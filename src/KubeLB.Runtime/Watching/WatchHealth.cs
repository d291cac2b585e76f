using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// The current error of a watched kind. Each change is logged once, not at every retry.
/// </summary>
internal sealed class WatchHealth(string cluster, ResourceKind kind, ClusterErrors shared, ILogger logger)
{
    private volatile ApiError? _current;

    public ApiError? Current => _current;

    public void Failed(ApiError error)
    {
        var before = _current;
        _current = error;
        if (before?.Category == error.Category)
        {
            return;
        }

        shared.Remove(kind);
        if (!error.IsClusterWide || shared.Add(kind, error.Category))
        {
            Log.WatchFailing(logger, error.Message, cluster, kind.FullName);
        }
    }

    public void Recovered()
    {
        if (_current is not { } before)
        {
            return;
        }

        _current = null;
        var isLast = shared.Remove(kind);
        if (!before.IsClusterWide)
        {
            Log.WatchRecovered(logger, kind.FullName, cluster);
        }
        else if (isLast)
        {
            Log.ClusterRecovered(logger, cluster);
        }
    }
}

/// <summary>
/// The watched kinds of a cluster that have a cluster-wide error. The first kind logs the error, the last one the recovery.
/// </summary>
internal sealed class ClusterErrors
{
    private readonly Dictionary<ResourceKind, string> _categories = [];
    private readonly Lock _gate = new();

    /// <returns>Whether no other kind has the same error.</returns>
    public bool Add(ResourceKind kind, string category)
    {
        lock (_gate)
        {
            var isFirst = !_categories.ContainsValue(category);
            _categories[kind] = category;
            return isFirst;
        }
    }

    /// <returns>Whether it was the last kind with an error.</returns>
    public bool Remove(ResourceKind kind)
    {
        lock (_gate)
        {
            return _categories.Remove(kind) && _categories.Count == 0;
        }
    }
}
