using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Controllers;
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
    private readonly Waits _waits = new(time);

    /// <summary>How long the status may wait still; null if it is to be written now.</summary>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="status">The status as it would be written.</param>
    public TimeSpan? TimeLeft(Route route, RouteStatus status)
    {
        var key = ResourceKey.Of(route);
        if (RouteStatusNews.AwaitsAnswer(route.Status, status))
        {
            return _waits.Left(key, $"{route.Metadata.Uid}/{status.Resources!.Route!.Generation}", ForAnswer);
        }

        var left = RouteStatusNews.CountsOnly(route.Status, status) ? _waits.Left(key, Counts, ForCounts) : null;
        if (left is null)
        {
            Forget(key);
        }

        return left;
    }

    /// <summary>Nothing of the Route is awaited any more.</summary>
    public void Forget(ResourceKey key) => _waits.End(key);
}
