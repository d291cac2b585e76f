using System.Globalization;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Metrics;

namespace KubeLB.Inspection.Checks;

/// <summary>
/// Checks whether the tenants' proxies reach the node ports, from their counters of connections and requests. Only they connect to the
/// nodes, so a connection of this machine would prove nothing. The counters begin with the proxies: what was reached once stays reached.
/// </summary>
public static class NodePortCheck
{
    private const string Name = "The proxies reach the node ports";
    private const int Listed = 5;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Reads the counters of all proxies once.</summary>
    /// <param name="clusters">The connections.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>
    /// Failed if a proxy has reached no Service and connections timed out, as with a firewall; a warning if a proxy has not reached a
    /// Service for another reason, which can be its tenant's. Not checked without connections.
    /// </returns>
    /// <exception cref="InspectionException">There is no management cluster.</exception>
    public static async Task<CheckResult> RunAsync(ClusterConnections clusters, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(time);
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return Of(await TrafficReport.SampleAsync(clusters, time, either.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Result(CheckState.NotChecked) with
            {
                Reason = $"The metrics of the proxies could not be read within {Limit.TotalSeconds:0} s. See kubelb top.",
            };
        }
    }

    /// <summary>The result for counters.</summary>
    internal static CheckResult Of(TrafficSamples samples)
    {
        var proxies = samples.Samples.SelectMany(Read).ToList();
        var (attempts, failed) = (proxies.Sum(p => p.Attempts), proxies.Sum(p => p.Failed));
        var problems = string.Join(" ", TrafficReport.ProblemsOf(samples).Select(p => p.Message));
        if (attempts == 0)
        {
            return Result(CheckState.NotChecked) with
            {
                Reason = problems.Length > 0 ? problems : "The proxies have opened no connection since they started.",
                Hint = problems.Length > 0 ? null : "Send a request through a route: kubelb trace http://HOSTNAME/ --probe.",
            };
        }

        var detail =
            $"{Number(failed)} of {Number(attempts)} connections failed since the proxies started"
            + (problems.Length > 0 ? $"; not read: {problems}" : "");
        if (proxies.Where(p => p.IsBlocked).Select(p => p.Pod).ToList() is { Count: > 0 } blocked)
        {
            return Result(CheckState.Failed) with
            {
                Detail = detail,
                Reason = $"Connections time out, and none succeeded, from pod {List(blocked)}.",
                Hint =
                    "Allow connections from the nodes of the management cluster to the node ports of the tenant's nodes (30000-32767 by "
                    + "default).",
            };
        }

        var unreached = proxies.SelectMany(p => p.Unreached.Select(s => $"{s} of tenant {p.Tenant}")).Distinct().ToList();
        return unreached.Count == 0
            ? Result(CheckState.Ok) with
            {
                Detail = detail,
            }
            : Result(CheckState.Warning) with
            {
                Detail = detail,
                Reason = $"No connection of a proxy succeeded to {List(unreached)}.",
                Hint = "Check that these Services have ready pods that listen on their targetPort: kubelb trace of the routes.",
            };
    }

    private static CheckResult Result(CheckState state) => new("Management cluster", Name, state);

    private static string List(List<string> names) =>
        string.Join(", ", names.Count > Listed ? [.. names.Take(Listed), $"{names.Count - Listed} more"] : names);

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static IEnumerable<ProxyConnections> Read(TrafficSample sample)
    {
        var names = sample.Proxies.Pods.ToDictionary(p => p.Uid, p => p.Name.ToString(), StringComparer.Ordinal);
        foreach (var pod in sample.Pods)
        {
            // Ports without a Service are Envoy's own, or of Services that were deleted. Two routes to one Service have a port each.
            var services = pod
                .Counters.Ports.Where(p => p.Value.ConnectionAttempts > 0 && sample.Proxies.Ports.ContainsKey(p.Key))
                .GroupBy(p => sample.Proxies.Ports[p.Key].Service ?? p.Key, StringComparer.Ordinal)
                .Select(p => (Name: p.Key, Counters: p.Select(c => c.Value).Aggregate((a, b) => a.Add(b))))
                .ToList();

            // Envoy counts an attempt when it begins, its failure when it ends, and a request when there is a connection for it.
            var unreached = services.Where(s => s.Counters is { FailedConnections: > 0, UpstreamRequests: 0 }).ToList();
            yield return new ProxyConnections(
                sample.Proxies.Tenant,
                names.GetValueOrDefault(pod.Uid) ?? pod.Uid,
                services.Sum(s => s.Counters.ConnectionAttempts),
                services.Sum(s => s.Counters.FailedConnections),
                services.TrueForAll(s => s.Counters.UpstreamRequests == 0) && services.Exists(s => s.Counters.ConnectionTimeouts > 0),
                [.. unreached.Select(s => s.Name).Order(StringComparer.Ordinal)]
            );
        }
    }

    /// <summary>The connections from a proxy to nodes since it started.</summary>
    /// <param name="Tenant">Name of the tenant.</param>
    /// <param name="Pod">The pod, <c>NAMESPACE/NAME</c>.</param>
    /// <param name="Attempts">Number of connections, including failed ones.</param>
    /// <param name="Failed">Number of connections that failed.</param>
    /// <param name="IsBlocked">Whether connections timed out, and none succeeded.</param>
    /// <param name="Unreached">The tenant's Services to which no connection succeeded.</param>
    private sealed record ProxyConnections(
        string Tenant,
        string Pod,
        double Attempts,
        double Failed,
        bool IsBlocked,
        IReadOnlyList<string> Unreached
    );
}
