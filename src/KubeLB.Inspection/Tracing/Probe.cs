using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Inspection.Tracing;

/// <summary>Sends a request on the traced path, and tells from the response where it ended.</summary>
public static class Probe
{
    private const int MaxBody = 4096;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Sends the request.</summary>
    /// <param name="trace">The trace, with its endpoint.</param>
    /// <param name="url">Path, query and hostname of the request; null for those of the route.</param>
    /// <param name="request">Method and headers.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<Hop> SendAsync(Trace trace, Uri? url, ProbeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(request);
        const string Title = "Request";
        if (trace.Endpoint is not { } endpoint)
        {
            return new Hop(Title, HopState.Unseen)
            {
                Message = $"no request was sent, because {trace.NoPathBecause ?? "no Gateway on the path has an address"}",
            };
        }

        var hostname = url?.Host ?? endpoint.Hostname;
        if (IPAddress.TryParse(hostname, out var literal) && literal.AddressFamily == AddressFamily.InterNetworkV6)
        {
            hostname = $"[{literal}]";
        }

        var target =
            $"{endpoint.Scheme}://{hostname}:{endpoint.Port.ToString(CultureInfo.InvariantCulture)}{url?.PathAndQuery ?? endpoint.Path}";
        var title = $"{Title} {request.Method} {target} to {endpoint.Address}";
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // The name of the URL selects the listener; the address is the Gateway's.
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    if (IPAddress.TryParse(endpoint.Address, out var ip) && request.Resolve?.Invoke(ip, endpoint.Port) is { } served)
                    {
                        await socket.ConnectAsync(served, cancel).ConfigureAwait(false);
                    }
                    else
                    {
                        await socket.ConnectAsync(endpoint.Address, endpoint.Port, cancel).ConfigureAwait(false);
                    }

                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        // Tests of a path often have self-signed certificates: whether the client trusts one is not the question.
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { Timeout = Timeout };
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), target);
        foreach (var (name, value) in request.Headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            var body = await BeginningAsync(response, cancellationToken).ConfigureAwait(false);
            var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
            var (state, verdict, end) = Judge((int)response.StatusCode, body);
            return new Hop(title, state)
            {
                Detail = $"{(int)response.StatusCode} in {elapsed} ms",
                Message = verdict,
                End = end,
            };
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new Hop(title, HopState.Broken)
            {
                End = ProbeEnd.Client,
                Message =
                    e is TaskCanceledException && e.InnerException is TimeoutException
                        ? $"No response within {(int)Timeout.TotalSeconds} s. Check that {endpoint.Address} is reachable from this machine."
                        : $"The request ended before a response: {e.GetBaseException().Message.TrimEnd('.')}. Check that "
                            + $"{endpoint.Address}:{endpoint.Port.ToString(CultureInfo.InvariantCulture)} is reachable from this machine.",
            };
        }
    }

    // https://www.envoyproxy.io/docs/envoy/latest/faq/debugging/why_is_envoy_sending_internal_responses
    private static (HopState State, string Verdict, ProbeEnd? End) UpstreamError(string body) =>
        body.Contains("connection timeout", StringComparison.Ordinal)
            ? (
                HopState.Broken,
                "It did not reach a pod: no node answered on the node port in time. Check that the management cluster can reach the node "
                    + "ports of the tenant's nodes (firewall).",
                ProbeEnd.Proxy
            )
        : body.Contains("connection failure", StringComparison.Ordinal)
            ? (
                HopState.Broken,
                "It did not reach a pod: the connection to the node port was refused. Check that the backend's pods are ready and listen "
                    + "on the targetPort of the Service, and that no firewall rejects connections to the node ports.",
                ProbeEnd.Proxy
            )
        : (
            HopState.Broken,
            "The connection to the backend was closed before a response. Check that its pods serve the protocol of the Service's port "
                + "(appProtocol), and their logs.",
            null
        );

    // Envoy Gateway and the tenant's proxies add no header of their own, so only Envoy's texts tell who responded.
    internal static (HopState State, string Verdict, ProbeEnd? End) Judge(int status, string body) =>
        status switch
        {
            503 when body.StartsWith("no healthy upstream", StringComparison.Ordinal) => (
                HopState.Broken,
                "It did not reach a pod: no proxy of the tenant is available, or its proxy has no usable node. See hops "
                    + "\"Tenant proxies\" and \"Nodes of the tenant\".",
                null
            ),
            503 when body.StartsWith("upstream connect error", StringComparison.Ordinal) => UpstreamError(body),
            504 when body.StartsWith("upstream request timeout", StringComparison.Ordinal) => (
                HopState.Broken,
                "The pod did not respond in time. See timeouts of the rule.",
                ProbeEnd.Pod
            ),
            404 => (
                HopState.Warning,
                "No rule matches hostname, path, method and headers of the request, or the pod has no such path.",
                null
            ),
            500 when body.Length == 0 => (
                HopState.Warning,
                "A backend of the rule is invalid (see hop \"Backends\"), or the pod responded with an error.",
                null
            ),
            >= 500 => (HopState.Warning, "A pod, or a proxy before it, responded with an error.", null),
            >= 300 and < 400 => (HopState.Ok, "The rule or a pod redirected it.", null),
            _ => (HopState.Ok, "It reached a pod.", ProbeEnd.Pod),
        };

    // A response may go on for ever; its beginning is enough.
    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxBody];
        var length = 0;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(BodyTimeout);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
            while (
                length < buffer.Length
                && await stream.ReadAsync(buffer.AsMemory(length), deadline.Token).ConfigureAwait(false) is > 0 and var read
            )
            {
                length += read;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // What was read counts.
        }

        return System.Text.Encoding.UTF8.GetString(buffer, 0, length);
    }
}

/// <summary>Where a request ended.</summary>
public enum ProbeEnd
{
    /// <summary>It did not reach the Gateway.</summary>
    Client,

    /// <summary>A proxy of the tenant.</summary>
    Proxy,

    /// <summary>A pod.</summary>
    Pod,
}
