using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>What is wrong with a watched kind at present. Each change of state is logged once, however often the attempt is repeated.</summary>
internal sealed class TroubleState(string cluster, ResourceKind kind, ILogger logger)
{
    private volatile ApiTrouble? _current;

    public string? Sentence => _current?.Sentence;

    public void Failed(ApiTrouble trouble)
    {
        var before = _current;
        _current = trouble;
        if (before?.Category != trouble.Category)
        {
            Log.WatchFailing(logger, trouble.Sentence, cluster, kind.FullName);
        }
    }

    public void Recovered()
    {
        if (_current is not null)
        {
            _current = null;
            Log.WatchRecovered(logger, kind.FullName, cluster);
        }
    }
}
