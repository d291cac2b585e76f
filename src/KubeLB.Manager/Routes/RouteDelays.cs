using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Delays the write of a Route's status for changes that are about to follow, so that one change results in one write: the response of
/// Envoy Gateway to the generated object, and further routes that attach to the same Gateway. A new leader starts the delay again.
/// </summary>
internal sealed class StatusDebouncer(TimeProvider time)
{
    private const string CountsDelay = "counts";
    private readonly DelayTracker _delays = new(time);

    /// <summary>How long to delay the write; null to write now.</summary>
    /// <param name="route">The Route with its previous status.</param>
    /// <param name="status">The new status.</param>
    public TimeSpan? TimeLeft(Route route, RouteStatus status)
    {
        var key = ResourceKey.Of(route);
        if (StatusWriteDecision.AwaitsEnvoyGateway(route.Status, status))
        {
            return _delays.Left(key, $"{route.Metadata.Uid}/{status.Resources!.Route!.Generation}", Delays.StatusAnswer);
        }

        var left = StatusWriteDecision.DiffersOnlyInCounts(route.Status, status)
            ? _delays.Left(key, CountsDelay, Delays.StatusCounts)
            : null;
        if (left is null)
        {
            Forget(key);
        }

        return left;
    }

    /// <summary>Ends the delay of a Route.</summary>
    public void Forget(ResourceKey key) => _delays.End(key);
}

/// <summary>
/// Keeps the Services that a Route no longer refers to until Envoy Gateway has applied the change, so that a change of backends loses no
/// request. Envoy Gateway reports that it has observed the change, not that its proxies have applied it, so the Services are kept for some
/// more time.
/// </summary>
internal sealed class ServiceDrain(ManagerOptions options, TimeProvider time)
{
    /// <summary>
    /// Maximum number of draining Services of a Route, the number of backends that an HTTPRoute can have. Limits the Services of a route
    /// that changes its backends continuously.
    /// </summary>
    public const int MaxServices = 256;

    private readonly DelayTracker _delays = new(time);

    /// <summary>How long draining Services are kept; null to delete them now.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="kind">Kind of the generated route.</param>
    /// <param name="generated">Result of writing the generated route.</param>
    /// <param name="count">Number of draining Services.</param>
    /// <param name="isParked">Whether the generated route has no parents: Envoy Gateway does not report on it.</param>
    public TimeSpan? TimeLeft(ResourceKey route, string? kind, AppliedObject generated, int count, bool isParked = false)
    {
        if (count > MaxServices)
        {
            return null;
        }

        if (generated.Error is not null)
        {
            // The old route is unchanged and refers to the draining Services.
            return Delays.ServiceDrainWithoutAnswer;
        }

        var hasAnswered = isParked || StatusWriteDecision.HasReported(kind, generated);
        var limit = hasAnswered ? options.ServiceDrain : Delays.ServiceDrainWithoutAnswer;
        return _delays.Left(route, $"{generated.Generation}/{hasAnswered}", limit);
    }

    /// <summary>Ends the drain of a Route that has no draining Service.</summary>
    public void Forget(ResourceKey route) => _delays.End(route);
}

/// <summary>The time that the work on one key may take at once (<see cref="Delays.WorkSlice"/>). Starts when it is created.</summary>
internal sealed class WorkSlice(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>Whether the rest must wait for the keys that are queued.</summary>
    public bool IsUsedUp => time.GetElapsedTime(_started) >= Delays.WorkSlice;
}
