using System.Text.Json;
using KubeLB.Inspection.Access;

namespace KubeLB.Inspection.Tracing;

/// <summary>Traces an object of live clusters: reads what the trace asks for until nothing is missing.</summary>
/// <param name="clusters">The connections.</param>
/// <param name="settings">Which tenant and namespaces are meant.</param>
/// <param name="managerDebug">URL of the manager's probes; null to leave out what the proxies have acknowledged.</param>
/// <param name="time">The clock.</param>
public sealed class TraceRun(ClusterConnections clusters, TraceSettings settings, Uri? managerDebug = null, TimeProvider? time = null)
{
    // More rounds than hops that depend on one another.
    private const int MaxRounds = 20;

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
        var tenant = clusters.Tenant is { } t ? new ClusterObjects(t, ClusterConnections.TenantCluster) : null;
        var management = clusters.Management is { } m ? new ClusterObjects(m, ClusterConnections.ManagementCluster) : null;
        IObjects tenantObjects = tenant is null ? new NoObjects("no kubeconfig of the tenant cluster (--kubeconfig)") : tenant;
        IObjects managementObjects = management is null
            ? new NoObjects("no kubeconfig of the management cluster (--management-kubeconfig)")
            : management;
        var current = settings;
        for (var round = 0; ; round++)
        {
            IReadOnlyList<Trace>? traces = null;
            TraceException? ambiguous = null;
            try
            {
                traces = trace(new PathTracer(tenantObjects, managementObjects, current, (time ?? TimeProvider.System).GetUtcNow()));
            }
            catch (TraceException e)
            {
                ambiguous = e;
            }

            var reads = await Task.WhenAll(
                    tenant?.ReadMissingAsync(cancellationToken) ?? Task.FromResult(false),
                    management?.ReadMissingAsync(cancellationToken) ?? Task.FromResult(false)
                )
                .ConfigureAwait(false);
            if (reads.Contains(true) && round < MaxRounds)
            {
                continue;
            }

            if (ambiguous is not null)
            {
                throw ambiguous;
            }

            if (managerDebug is not null && current.Acknowledgements is null && traces![0].Tenant is { } name)
            {
                current = current with { Acknowledgements = await AcknowledgementsAsync(name, cancellationToken).ConfigureAwait(false) };
                continue;
            }

            return traces!;
        }
    }

    private async Task<ProxyAcknowledgements> AcknowledgementsAsync(string tenant, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var page = JsonDocument.Parse(
                await http.GetStringAsync(new Uri(managerDebug!, "/debug/xds?tenant=" + Uri.EscapeDataString(tenant)), cancellationToken)
                    .ConfigureAwait(false)
            );
            return ProxyAcknowledgements.Read(page.RootElement, Api.Naming.TenantNames.Namespace(tenant));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException)
        {
            throw new TraceException($"--manager-debug-url: {e.GetBaseException().Message} Is it the address of the manager's /debug/xds?");
        }
    }
}
