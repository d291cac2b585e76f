using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Lets a Route's status wait a moment for what is about to follow, so that one change is one write: Envoy Gateway's answer to what was
/// generated, and further routes that attach to the same Gateway. Only the start of the delay is remembered; a new leader begins again.
/// </summary>
internal sealed class StatusDebouncer(TimeProvider time)
{
    private const string Counts = "counts";
    private readonly DelayTracker _delays = new(time);

    /// <summary>How long the status may wait still; null if it is to be written now.</summary>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="status">The status as it would be written.</param>
    public TimeSpan? TimeLeft(Route route, RouteStatus status)
    {
        var key = ResourceKey.Of(route);
        if (StatusWriteDecision.AwaitsEnvoyGateway(route.Status, status))
        {
            return _delays.Left(key, $"{route.Metadata.Uid}/{status.Resources!.Route!.Generation}", Delays.StatusAnswer);
        }

        var left = StatusWriteDecision.DiffersOnlyInCounts(route.Status, status) ? _delays.Left(key, Counts, Delays.StatusCounts) : null;
        if (left is null)
        {
            Forget(key);
        }

        return left;
    }

    /// <summary>Nothing of the Route is awaited any more.</summary>
    public void Forget(ResourceKey key) => _delays.End(key);
}
