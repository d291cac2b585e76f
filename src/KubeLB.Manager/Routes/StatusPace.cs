using System.Collections.Concurrent;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Lets a Route's status wait a moment for what is about to follow, so that one change is one write: Envoy Gateway's answer to what was
/// generated, and further routes that attach to the same Gateway. Only the start of the wait is remembered; a new leader waits anew.
/// </summary>
internal sealed class StatusPace(TimeProvider time)
{
    /// <summary>How long Envoy Gateway's answer is awaited. It comes within milliseconds as a rule, within seconds under load.</summary>
    public static readonly TimeSpan ForAnswer = TimeSpan.FromSeconds(2);

    /// <summary>How long counts of attached routes may lag.</summary>
    public static readonly TimeSpan ForCounts = TimeSpan.FromMilliseconds(250);

    private const string Counts = "counts";
    private readonly ConcurrentDictionary<ResourceKey, (string What, long Since)> _waits = new();

    /// <summary>How long the status may wait still; null if it is to be written now.</summary>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="status">The status as it would be written.</param>
    public TimeSpan? TimeLeft(Route route, RouteStatus status)
    {
        var key = ResourceKey.Of(route);
        if (RouteStatusNews.AwaitsAnswer(route.Status, status))
        {
            return Left(key, $"{route.Metadata.Uid}/{status.Resources!.Route!.Generation}", ForAnswer);
        }

        var left = RouteStatusNews.CountsOnly(route.Status, status) ? Left(key, Counts, ForCounts) : null;
        if (left is null)
        {
            Forget(key);
        }

        return left;
    }

    /// <summary>Nothing of the Route is awaited any more.</summary>
    public void Forget(ResourceKey key) => _waits.TryRemove(key, out _);

    // A wait that is over stays, so that the same is not awaited again.
    private TimeSpan? Left(ResourceKey key, string what, TimeSpan limit)
    {
        var wait = _waits.AddOrUpdate(key, _ => (what, time.GetTimestamp()), (_, known) => known.What == what ? known : (what, time.GetTimestamp()));
        var left = limit - time.GetElapsedTime(wait.Since);
        return left > TimeSpan.Zero ? left : null;
    }
}
