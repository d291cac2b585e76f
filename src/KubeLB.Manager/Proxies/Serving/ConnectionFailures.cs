using System.Collections.Concurrent;
using System.Net;
using KubeLB.Xds.Discovery;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>
/// Logs and counts connections and streams that the xDS server rejects or resets. Kestrel reports the reasons in its log only, at debug
/// level: this provider reads those entries, finds the peer of the connection, and logs a warning with a remedy.
/// </summary>
internal sealed class ConnectionFailures(CollectorRegistry registry, TimeProvider time, ILogger<ConnectionFailures> logger)
    : ILoggerProvider,
        IXdsObserver
{
    /// <summary>Minimum interval at which the same failure of one peer is logged.</summary>
    public static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    // https://grpc.github.io/grpc/core/md_doc_statuscodes.html
    private const string Unimplemented = "12";

    // Bounds the memory, since peers choose their addresses; failures of further peers are only counted in the metric.
    private const int MaxPeers = 100;

    private readonly ConcurrentDictionary<string, EndPoint?> _peers = new(StringComparer.Ordinal);

    // Kestrel's entries during a TLS handshake do not name the connection.
    private readonly AsyncLocal<EndPoint?> _current = new();
    private readonly Dictionary<(string Peer, string Kind), (long At, int Suppressed)> _logged = [];
    private readonly Lock _gate = new();
    private readonly Counter _failures = Prometheus
        .Metrics.WithCustomRegistry(registry)
        .CreateCounter(
            "kubelb_manager_xds_failures_total",
            "Connections and streams that the xDS server rejected or reset, by kind.",
            "kind"
        );

    /// <summary>Stores the peer of each open connection. Must be the outermost middleware of Kestrel's connections.</summary>
    public ConnectionDelegate Track(ConnectionDelegate next) =>
        async connection =>
        {
            _peers[connection.ConnectionId] = _current.Value = connection.RemoteEndPoint;
            try
            {
                await next(connection).ConfigureAwait(false);
            }
            finally
            {
                _peers.TryRemove(connection.ConnectionId, out _);
            }
        };

    /// <summary>Reports requests for services that are not implemented.</summary>
    public async Task ReportUnimplementedAsync(HttpContext context, RequestDelegate next)
    {
        await next(context).ConfigureAwait(false);
        if (context.Response.Headers["grpc-status"] == Unimplemented || context.Response.StatusCode == StatusCodes.Status404NotFound)
        {
            Report(
                "unimplemented",
                context.Connection.RemoteIpAddress is { } address
                    ? $"{new IPEndPoint(address, context.Connection.RemotePort)}"
                    : "an unknown address",
                $"{context.Request.Path} is not implemented.",
                "correct the client's configuration; the manager serves aggregated, cluster, endpoint, listener, route and secret discovery"
            );
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new KestrelLogger(this, categoryName);

    /// <inheritdoc/>
    public void Failed(string? node, string peer, XdsFailure failure) =>
        Report(
            $"stream_{failure.Code}".ToLowerInvariant(),
            peer,
            failure.Reason,
            $"node id {node ?? "none"}; correct the client or its bootstrap configuration"
        );

    /// <inheritdoc/>
    public void Dispose() { }

    private void Report(string kind, string peer, string reason, string remedy)
    {
        _failures.WithLabels(kind).Inc();
        int suppressed;
        lock (_gate)
        {
            // The key omits the port, which is different for each connection.
            var key = (HostOf(peer), kind);
            if (_logged.TryGetValue(key, out var known))
            {
                if (time.GetElapsedTime(known.At) < LogInterval)
                {
                    _logged[key] = known with { Suppressed = known.Suppressed + 1 };
                    return;
                }
            }
            else if (_logged.Count >= MaxPeers && !RemoveOldEntries())
            {
                return;
            }

            suppressed = known.Suppressed;
            _logged[key] = (time.GetTimestamp(), 0);
        }

        // Clients control these texts.
        Log.XdsFailure(logger, kind, EnvoyText.OneLine(peer), EnvoyText.OneLine(reason), EnvoyText.OneLine(remedy), suppressed);
    }

    private bool RemoveOldEntries()
    {
        foreach (var (key, _) in _logged.Where(l => time.GetElapsedTime(l.Value.At) >= LogInterval).ToList())
        {
            _logged.Remove(key);
        }

        return _logged.Count < MaxPeers;
    }

    private static string HostOf(string peer) =>
        IPEndPoint.TryParse(peer, out var endPoint) ? endPoint.Address.ToString() : XdsPeer.HostOf(peer);

    // Kestrel's log entries by event name: https://github.com/dotnet/aspnetcore,
    // Kestrel.Core/src/Internal/Infrastructure/KestrelTrace*.cs
    private static (string Kind, string Remedy)? Classify(string? name) =>
        name switch
        {
            "AuthenticationFailed" => (
                "tls_handshake",
                "check that the client uses the current Secret envoy-xds-client of its namespace and trusts the manager's authority"
            ),
            "AuthenticationTimedOut" => (
                "tls_handshake",
                "the client did not complete the TLS handshake in time; check that it uses TLS on this port"
            ),
            "Http2ConnectionError" => ("http2_connection", "check that the client uses HTTP/2"),
            "Http2StreamError" or "Http2StreamResetAbort" => (
                "http2_stream",
                "the request violates HTTP/2 or a limit of the server; check the client's version"
            ),
            "HPackDecodingError" or "HPackEncodingError" => ("http2_headers", "check the client's HTTP/2 implementation"),
            "ConnectionBadRequest" => (
                "bad_request",
                "check that the client uses HTTP/2, with TLS unless the manager runs with --xds-insecure"
            ),
            "ConnectionRejected" => ("connection_rejected", "reduce the number of open connections"),
            _ => null,
        };

    private sealed class KestrelLogger(ConnectionFailures failures, string category) : ILogger
    {
        private readonly bool _isKestrel = category.StartsWith("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => _isKestrel;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (!_isKestrel || Classify(eventId.Name) is not { } failure)
            {
                return;
            }

            var text = exception is null ? formatter(state, null) : $"{formatter(state, null)} {exception.Message}";
            failures.Report(failure.Kind, PeerOf(state), text, failure.Remedy);
        }

        // A trace identifier has the form <connection id>:<request number>.
        private string PeerOf<TState>(TState state)
        {
            foreach (var (_, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
            {
                if (value is string id && failures._peers.TryGetValue(id.Split(':')[0], out var peer) && peer is not null)
                {
                    return $"{peer}";
                }
            }

            return failures._current.Value is { } current ? $"{current}" : "an unknown address";
        }
    }
}
