using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Keeps the Services that a Route no longer leads to until Envoy Gateway has turned to the others, so that a change of backends costs no
/// request. Envoy Gateway tells that it has seen the change, not that its proxies have: they get a moment more.
/// </summary>
internal sealed class ServiceDrain(ManagerOptions options, TimeProvider time)
{
    /// <summary>
    /// How many may stay: as many as one HTTPRoute can have backends. Who changes them all the time does not heap them up.
    /// </summary>
    public const int Most = 256;

    private readonly DelayTracker _delays = new(time);

    /// <summary>How long they stay still; null if they are to go now.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="kind">Kind of what was generated from it.</param>
    /// <param name="generated">What became of that.</param>
    /// <param name="count">How many there are.</param>
    public TimeSpan? TimeLeft(ResourceKey route, string? kind, AppliedObject generated, int count)
    {
        if (count > Most)
        {
            return null;
        }

        if (generated.Error is not null)
        {
            // The old one stands, and leads to them.
            return Delays.ServiceDrainWithoutAnswer;
        }

        var hasAnswered = StatusWriteDecision.HasReported(kind, generated);
        var limit = hasAnswered ? options.ServiceDrain : Delays.ServiceDrainWithoutAnswer;
        return _delays.Left(route, $"{generated.Generation}/{hasAnswered}", limit);
    }

    /// <summary>None are left.</summary>
    public void Forget(ResourceKey route) => _delays.End(route);
}
