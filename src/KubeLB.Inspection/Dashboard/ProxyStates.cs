using System.Collections.Concurrent;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>
/// What the proxies have acknowledged, from the manager. A look-up returns the last response at once, and requests a new one if it is old.
/// </summary>
internal sealed class ProxyStates(DashboardOptions options, TimeProvider time)
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (ProxyAcknowledgements? Value, long RequestedAt)> _known = new(StringComparer.Ordinal);
    private volatile string? _problem;

    /// <summary>Why the manager's page cannot be read; null if it can.</summary>
    public string? Problem => _problem;

    /// <summary>Called after a response.</summary>
    public Action? Received { get; set; }

    /// <summary>The proxies of a tenant; null if they are not known.</summary>
    public ProxyAcknowledgements? Of(string tenant)
    {
        if (options.ManagerDebug is not { } url)
        {
            return null;
        }

        var now = time.GetTimestamp();
        var isKnown = _known.TryGetValue(tenant, out var known);
        if (!isKnown)
        {
            if (_known.TryAdd(tenant, (null, now)))
            {
                _ = FetchAsync(url, tenant);
            }
        }
        else if (time.GetElapsedTime(known.RequestedAt, now) > Age && _known.TryUpdate(tenant, known with { RequestedAt = now }, known))
        {
            _ = FetchAsync(url, tenant);
        }

        return known.Value;
    }

    private async Task FetchAsync(Uri url, string tenant)
    {
        try
        {
            var value = await ProxyAcknowledgements.FetchAsync(url, tenant, CancellationToken.None).ConfigureAwait(false);
            _known[tenant] = (value, time.GetTimestamp());
            _problem = null;
        }
        catch (InspectionException e)
        {
            _known[tenant] = (null, time.GetTimestamp());
            _problem = e.Message;
        }

        Received?.Invoke();
    }
}
