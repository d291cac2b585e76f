using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// What is wrong with a watched kind at present. Each change of state is logged once, however often the attempt is repeated.
/// </summary>
internal sealed class TroubleState(string cluster, ResourceKind kind, ClusterTroubles shared, ILogger logger)
{
    private volatile ApiTrouble? _current;

    public ApiTrouble? Current => _current;

    public void Failed(ApiTrouble trouble)
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
