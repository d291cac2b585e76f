using System.Globalization;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Metrics;

namespace KubeLB.Inspection.Checks;

/// <summary>
/// Checks whether the tenants' proxies reach the node ports, from their counters of connections. Only they connect to the nodes, so a
/// connection of this machine would prove nothing.
/// </summary>
public static class NodePortCheck
{
    private const string Name = "The proxies reach the node ports";
    private const int Listed = 5;

    private const string Firewall =
        "Allow connections from the nodes of the management cluster to the node ports of the tenant's nodes (30000-32767 by default), and "
        + "check that the Services have ready pods.";

    /// <summary>Reads the counters of all proxies once.</summary>
    /// <param name="clusters">The connections.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>
    /// Failed if a tenant's proxies have reached none of its Services; a warning if they have reached some. Not checked without
    /// connections.
    /// </returns>
    /// <exception cref="InspectionException">There is no management cluster.</exception>
    public static async Task<CheckResult> RunAsync(ClusterConnections clusters, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(time);
        return Of(await TrafficReport.SampleAsync(clusters, time, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The result for counters.</summary>
    internal static CheckResult Of(TrafficSamples samples)
    {
        var tenants = samples.Samples.Select(NodePortConnections.Of).ToList();
        var (attempts, failed) = (tenants.Sum(t => t.Attempts), tenants.Sum(t => t.Failed));
        var problems = string.Join(" ", TrafficReport.ProblemsOf(samples).Select(p => p.Message));
        if (attempts == 0)
        {
            return Result(CheckState.NotChecked) with
            {
                Reason = problems.Length > 0 ? problems : "The proxies have opened no connection since they started.",
                Hint = problems.Length > 0 ? null : "Send a request through a route: kubelb trace http://HOSTNAME/ --probe.",
            };
        }

        var affected = tenants.Where(t => t.Unreached.Count > 0).ToList();
        var isUnreached = affected.Exists(t => t.IsUnreached);
        return Result(
            isUnreached ? CheckState.Failed
            : affected.Count > 0 ? CheckState.Warning
            : CheckState.Ok
        ) with
        {
            Detail =
                $"{Number(failed)} of {Number(attempts)} connections failed since the proxies started"
                + (problems.Length > 0 ? $"; not read: {problems}" : ""),
            Reason = affected.Count == 0 ? null : ReasonOf(affected),
            Hint =
                affected.Count == 0 ? null
                : isUnreached ? Firewall
                : "Check that these Services have ready pods: kubelb trace of their routes.",
        };
    }

    private static CheckResult Result(CheckState state) => new("Management cluster", Name, state);

    private static string ReasonOf(List<NodePortConnections> tenants)
    {
        var services = tenants.SelectMany(t => t.Unreached.Select(u => $"{u} of tenant {t.Tenant}")).ToList();
        var listed = services.Count > Listed ? [.. services.Take(Listed), $"{services.Count - Listed} more"] : services;
        return $"No connection succeeded to {string.Join(", ", listed)}.";
    }

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The connections from a tenant's proxies to its nodes since the proxies started.</summary>
    /// <param name="Tenant">Name of the tenant.</param>
    /// <param name="Attempts">Number of connections, including failed ones.</param>
    /// <param name="Failed">Number of connections that failed.</param>
    /// <param name="IsUnreached">Whether there were connections, and none succeeded.</param>
    /// <param name="Unreached">The tenant's Services to which no connection succeeded.</param>
    private sealed record NodePortConnections(
        string Tenant,
        double Attempts,
        double Failed,
        bool IsUnreached,
        IReadOnlyList<string> Unreached
    )
    {
        public static NodePortConnections Of(TrafficSample sample)
        {
            // Ports without a Service are Envoy's own, or of Services that were deleted.
            var ports = sample
                .Pods.SelectMany(p => p.Counters.Ports)
                .Where(p => sample.Proxies.Ports.ContainsKey(p.Key))
                .GroupBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => (Name: p.Key, Counters: p.Select(c => c.Value).Aggregate((a, b) => a.Add(b))))
                .Where(p => p.Counters.ConnectionAttempts > 0)
                .ToList();
            var unreached = ports.Where(p => p.Counters.FailedConnections >= p.Counters.ConnectionAttempts).ToList();
            return new NodePortConnections(
                sample.Proxies.Tenant,
                ports.Sum(p => p.Counters.ConnectionAttempts),
                ports.Sum(p => p.Counters.FailedConnections),
                ports.Count > 0 && unreached.Count == ports.Count,
                [.. unreached.Select(p => sample.Proxies.Ports[p.Name].Service ?? p.Name).Distinct().Order(StringComparer.Ordinal)]
            );
        }
    }
}
