using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// What is wrong with a watched kind at present. Each change of state is logged once, however often the attempt is repeated.
/// </summary>
internal sealed class WatchHealth(string cluster, ResourceKind kind, ClusterErrors shared, ILogger logger)
{
    private volatile ApiError? _current;

    public ApiError? Current => _current;

    public void Failed(ApiError trouble)
    {
        var before = _current;
        _current = trouble;
        if (before?.Category == trouble.Category)
        {
            return;
        }

        shared.Ends(kind);
        if (!trouble.IsOfCluster || shared.Begins(kind, trouble.Category))
        {
            Log.WatchFailing(logger, trouble.Sentence, cluster, kind.FullName);
        }
    }

    public void Recovered()
    {
        if (_current is not { } before)
        {
            return;
        }

        _current = null;
        var isLast = shared.Ends(kind);
        if (!before.IsOfCluster)
        {
            Log.WatchRecovered(logger, kind.FullName, cluster);
        }
        else if (isLast)
        {
            Log.ClusterRecovered(logger, cluster);
        }
    }
}
