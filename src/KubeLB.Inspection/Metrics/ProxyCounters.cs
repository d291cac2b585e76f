namespace KubeLB.Inspection.Metrics;

/// <summary>The counters of one proxy pod, by its ports (<see cref="Translation.Proxies.ProxyPorts.NameOf"/>).</summary>
/// <param name="Ports">The counters of each port that was used.</param>
internal sealed record ProxyCounters(IReadOnlyDictionary<string, PortCounters> Ports)
{
    private const string Requests = "envoy_http_downstream_rq_total";
    private const string Responses = "envoy_http_downstream_rq_xx";
    private const string Duration = "envoy_http_downstream_rq_time_bucket";
    private const string Connections = "envoy_http_downstream_cx_active";
    private const string ConnectionAttempts = "envoy_cluster_upstream_cx_total";
    private const string FailedConnections = "envoy_cluster_upstream_cx_connect_fail";
    private const string ConnectionTimeouts = "envoy_cluster_upstream_cx_connect_timeout";
    private const string UpstreamRequests = "envoy_cluster_upstream_rq_total";
    private const string Listener = "envoy_http_conn_manager_prefix";
    private const string Cluster = "envoy_cluster_name";
    private const string Class = "envoy_response_code_class";

    private static readonly HashSet<string> Names =
    [
        Requests,
        Responses,
        Duration,
        Connections,
        ConnectionAttempts,
        FailedConnections,
        ConnectionTimeouts,
        UpstreamRequests,
    ];

    /// <summary>
    /// Query that limits the response to these metrics, by Envoy's own names, and leaves out those that were never used. A proxy has
    /// hundreds of metrics for each port. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--stats
    /// </summary>
    public static string Query { get; } =
        "?usedonly&filter="
        + Uri.EscapeDataString(
            @"^(http\..*\.downstream_(rq_total|rq_5xx|rq_time|cx_active)"
                + @"|cluster\..*\.upstream_(cx_total|cx_connect_fail|cx_connect_timeout|rq_total))$"
        );

    /// <summary>Reads the metrics of a proxy.</summary>
    /// <param name="text">In the format of Prometheus.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <returns>The counters; null if the text has none of the metrics, so that it is not of an Envoy.</returns>
    public static async Task<ProxyCounters?> ReadAsync(TextReader text, CancellationToken cancellationToken)
    {
        var ports = new Dictionary<string, PortBuilder>(StringComparer.Ordinal);
        await foreach (var sample in PrometheusText.ReadAsync(text, Names, cancellationToken).ConfigureAwait(false))
        {
            if (sample.Labels.GetValueOrDefault(IsOfCluster(sample.Name) ? Cluster : Listener) is { Length: > 0 } name)
            {
                if (!ports.TryGetValue(name, out var port))
                {
                    ports.Add(name, port = new PortBuilder());
                }

                port.Add(sample);
            }
        }

        return ports.Count == 0 ? null : new ProxyCounters(ports.ToDictionary(p => p.Key, p => p.Value.Build(), StringComparer.Ordinal));
    }

    private static bool IsOfCluster(string name) =>
        name is ConnectionAttempts or FailedConnections or ConnectionTimeouts or UpstreamRequests;

    private sealed class PortBuilder
    {
        // Above it, a double does not have every whole number.
        private const double MaxCount = 9_007_199_254_740_992;

        private readonly SortedList<double, double> _buckets = [];
        private PortCounters _counters = new();

        public void Add(MetricSample sample)
        {
            // Numbers that are no counts would not be JSON.
            if (sample.Value is not (>= 0 and <= MaxCount))
            {
                return;
            }

            switch (sample.Name)
            {
                case Requests:
                    _counters = _counters with { Requests = sample.Value };
                    break;
                case Responses when sample.Labels.GetValueOrDefault(Class) == "5":
                    _counters = _counters with { Errors = sample.Value };
                    break;
                case Connections:
                    _counters = _counters with { Connections = sample.Value };
                    break;
                case ConnectionAttempts:
                    _counters = _counters with { ConnectionAttempts = sample.Value };
                    break;
                case ConnectionTimeouts:
                    _counters = _counters with { ConnectionTimeouts = sample.Value };
                    break;
                case UpstreamRequests:
                    _counters = _counters with { UpstreamRequests = sample.Value };
                    break;
                case FailedConnections:
                    _counters = _counters with { FailedConnections = sample.Value };
                    break;
                case Duration when PrometheusText.Number(sample.Labels.GetValueOrDefault("le") ?? "") is { } bound && IsBound(bound):
                    _buckets[bound] = sample.Value;
                    break;
                default:
                    break;
            }
        }

        private static bool IsBound(double milliseconds) => milliseconds is (>= 0 and <= MaxCount) or double.PositiveInfinity;

        public PortCounters Build() => _counters with { Latency = new LatencyHistogram([.. _buckets.Select(b => (b.Key, b.Value))]) };
    }
}

/// <summary>
/// The counters of one port of a proxy. All but <see cref="Connections"/> grow until the process restarts. Numbers are those of Prometheus.
/// </summary>
internal sealed record PortCounters
{
    /// <summary>Requests that Envoy Gateway sent to the port.</summary>
    public double Requests { get; init; }

    /// <summary>5xx responses, of backends and of the proxy itself if it reached none.</summary>
    public double Errors { get; init; }

    /// <summary>Connections to nodes, including those that failed.</summary>
    public double ConnectionAttempts { get; init; }

    /// <summary>Connections to nodes that failed; the proxy tries others.</summary>
    public double FailedConnections { get; init; }

    /// <summary>Failed connections to which no node answered in time.</summary>
    public double ConnectionTimeouts { get; init; }

    /// <summary>Requests that were sent over a connection to a node, with retries.</summary>
    public double UpstreamRequests { get; init; }

    /// <summary>Open connections of Envoy Gateway to the port.</summary>
    public double Connections { get; init; }

    /// <summary>Durations of complete requests. Envoy updates them every 5 s.</summary>
    public LatencyHistogram Latency { get; init; } = LatencyHistogram.Empty;

    /// <summary>What happened since an earlier state. Counters that decreased started at 0 again, with the process.</summary>
    public PortCounters Since(PortCounters before) =>
        Combine(before, (now, then) => now >= then ? now - then : now) with
        {
            Connections = Connections,
            Latency = Latency.Since(before.Latency),
        };

    /// <summary>The sum.</summary>
    public PortCounters Add(PortCounters other) =>
        Combine(other, (one, another) => one + another) with
        {
            Connections = Connections + other.Connections,
            Latency = Latency.Add(other.Latency),
        };

    private PortCounters Combine(PortCounters other, Func<double, double, double> combine) =>
        new()
        {
            Requests = combine(Requests, other.Requests),
            Errors = combine(Errors, other.Errors),
            ConnectionAttempts = combine(ConnectionAttempts, other.ConnectionAttempts),
            FailedConnections = combine(FailedConnections, other.FailedConnections),
            ConnectionTimeouts = combine(ConnectionTimeouts, other.ConnectionTimeouts),
            UpstreamRequests = combine(UpstreamRequests, other.UpstreamRequests),
        };
}
