using KubeLB.Inspection.Access;

namespace KubeLB.Inspection.Tracing;

/// <summary>Traces an object of live clusters: reads what the trace asks for until nothing is missing.</summary>
/// <param name="clusters">The connections.</param>
/// <param name="settings">Which tenant and namespaces are meant.</param>
/// <param name="managerDebug">URL of the manager's probes; null to leave out what the proxies have acknowledged.</param>
/// <param name="time">The clock.</param>
public sealed class TraceRun(ClusterConnections clusters, TraceSettings settings, Uri? managerDebug = null, TimeProvider? time = null)
{
    /// <summary>Traces an object.</summary>
    public Task<IReadOnlyList<Trace>> TraceAsync(TraceTarget target, CancellationToken cancellationToken) =>
        RunAsync(tracer => tracer.Trace(target), cancellationToken);

    /// <summary>Traces the route that serves a request.</summary>
    public Task<IReadOnlyList<Trace>> TraceUrlAsync(Uri url, ProbeRequest request, CancellationToken cancellationToken) =>
        RunAsync(tracer => tracer.TraceUrl(url, request), cancellationToken);

    /// <summary>Adds a hop with the result of a request to each trace.</summary>
    /// <param name="traces">The traces.</param>
    /// <param name="url">The URL of the request; null to make one from the route.</param>
    /// <param name="request">Method and headers.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<IReadOnlyList<Trace>> ProbeAsync(
        IReadOnlyList<Trace> traces,
        Uri? url,
        ProbeRequest request,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(traces);
        var probed = new List<Trace>();
        foreach (var trace in traces)
        {
            var hop = await Probe.SendAsync(trace, url, request, cancellationToken).ConfigureAwait(false);
            probed.Add(trace with { Hops = [.. trace.Hops, hop] });
        }

        return probed;
    }

    private async Task<IReadOnlyList<Trace>> RunAsync(Func<PathTracer, IReadOnlyList<Trace>> trace, CancellationToken cancellationToken)
    {
        var traces = await EvaluateAsync(settings).ConfigureAwait(false);
        return managerDebug is not null && traces[0].Tenant is { } name
            ? await EvaluateAsync(
                    settings with
                    {
                        Acknowledgements = await ProxyAcknowledgements
                            .FetchAsync(managerDebug, name, cancellationToken)
                            .ConfigureAwait(false),
                    }
                )
                .ConfigureAwait(false)
            : traces;

        Task<IReadOnlyList<Trace>> EvaluateAsync(TraceSettings current) =>
            clusters.EvaluateAsync(
                (tenant, management) => trace(new PathTracer(tenant, management, current, (time ?? TimeProvider.System).GetUtcNow())),
                cancellationToken
            );
    }
}
