using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// The Routes whose generated object Envoy Gateway has not reported on, for a condition of the Config. That Envoy Gateway has stopped is
/// only noticed by the next change: it reports nothing on objects that do not change. Thread-safe.
/// </summary>
internal sealed class EnvoyGatewayReports(ManagerOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceKey, (long Generation, long Since)> _awaited = [];
    private readonly SortedSet<(long Since, ResourceKey Route)> _bySince = new(
        Comparer<(long Since, ResourceKey Route)>.Create(
            (a, b) => a.Since != b.Since ? a.Since.CompareTo(b.Since) : string.CompareOrdinal(a.Route.ToString(), b.Route.ToString())
        )
    );

    /// <summary>Raised when the first missing report is awaited, and when the first one that is overdue has come.</summary>
    public event Action? Changed;

    /// <summary>Enqueues the Config when its condition may change.</summary>
    public static void WatchConfig(ControllerBuilder controller, ResourceKey config) =>
        controller.Source(
            (host, enqueue) =>
            {
                var reports = host.GetRequiredService<EnvoyGatewayReports>();
                reports.Changed += Enqueue;
                return new SourceSubscription(() => reports.Changed -= Enqueue);

                void Enqueue() => enqueue(config);
            }
        );

    /// <summary>Records what Envoy Gateway has reported on the generated object of a Route.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="generation">The object's generation; null if there is none, or Envoy Gateway has no reason to report on it.</param>
    /// <param name="observed">The generation that Envoy Gateway has reported on; null if it has not reported.</param>
    public void Update(ResourceKey route, long? generation = null, long? observed = null)
    {
        bool isChanged;
        lock (_gate)
        {
            var (wasEmpty, wasOverdue, first) = (_bySince.Count == 0, IsOverdue(), _bySince.Min);
            var isKnown = _awaited.TryGetValue(route, out var awaited);
            // Reports on earlier generations of an object that changes all the time show that Envoy Gateway responds.
            if (isKnown && (generation is null || observed >= awaited.Generation))
            {
                _awaited.Remove(route);
                _bySince.Remove((awaited.Since, route));
                isKnown = false;
            }

            if (!isKnown && generation is { } current && !(observed >= current))
            {
                var now = time.GetTimestamp();
                _awaited[route] = (current, now);
                _bySince.Add((now, route));
            }

            // The condition names the first.
            isChanged = (wasEmpty && _bySince.Count > 0) || (wasOverdue && _bySince.Min != first);
        }

        if (isChanged)
        {
            Changed?.Invoke();
        }
    }

    /// <summary>How long the first missing report has been awaited; zero if none is.</summary>
    public TimeSpan Age
    {
        get
        {
            lock (_gate)
            {
                return _bySince.Count == 0 ? TimeSpan.Zero : time.GetElapsedTime(_bySince.Min.Since);
            }
        }
    }

    /// <summary>Sets condition <see cref="SettingsConditions.EnvoyGatewayResponding"/>.</summary>
    /// <returns>The time until a report that is awaited now becomes overdue; null if none is awaited, or one is overdue.</returns>
    public TimeSpan? SetCondition(ConditionSet conditions, Config config)
    {
        ResourceKey? first = null;
        TimeSpan? left = null;
        lock (_gate)
        {
            if (_bySince.Count > 0)
            {
                var remaining = options.EnvoyGatewayReport - time.GetElapsedTime(_bySince.Min.Since);
                if (remaining > TimeSpan.Zero)
                {
                    left = remaining;
                }
                else
                {
                    first = _bySince.Min.Route;
                }
            }
        }

        conditions.Set(
            SettingsConditions.EnvoyGatewayResponding,
            ConditionStatus.Of(first is null),
            first is null ? SettingsConditions.Responding : SettingsConditions.NotResponding,
            first is null
                ? Messages.EnvoyGatewayResponding
                : Messages.EnvoyGatewayNotResponding(first.Value.ToString(), (int)options.EnvoyGatewayReport.TotalSeconds),
            config.Metadata.Generation
        );
        return left;
    }

    private bool IsOverdue() => _bySince.Count > 0 && time.GetElapsedTime(_bySince.Min.Since) >= options.EnvoyGatewayReport;
}
