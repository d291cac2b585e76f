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
            return new Hop(Title, HopState.Unseen) { Message = "no request was sent, because no Gateway on the path has an address" };
        }

        var hostname = url?.Host ?? endpoint.Hostname;
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
            var (state, verdict) = Judge((int)response.StatusCode, body, response.Headers.Contains("x-envoy-upstream-service-time"));
            return new Hop(title, state) { Detail = $"{(int)response.StatusCode} in {elapsed} ms", Message = verdict };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new Hop(title, HopState.Broken)
            {
                Message =
                    e is TaskCanceledException && e.InnerException is TimeoutException
                        ? $"No response within {(int)Timeout.TotalSeconds} s. Check that {endpoint.Address} is reachable from this machine."
                        : $"The request ended before a response: {e.GetBaseException().Message.TrimEnd('.')}. Check that "
                            + $"{endpoint.Address}:{endpoint.Port.ToString(CultureInfo.InvariantCulture)} is reachable from this machine.",
            };
        }
    }

    // The texts are those of Envoy; a response of a pod has the header of its service time.
    internal static (HopState State, string? Verdict) Judge(int status, string body, bool hasServiceTime) =>
        status switch
        {
            503 when body.StartsWith("no healthy upstream", StringComparison.Ordinal) => (
                HopState.Broken,
                "It ended at Envoy Gateway: no proxy of the tenant is available. See hop \"Tenant proxies\"."
            ),
            503 when body.StartsWith("upstream connect error", StringComparison.Ordinal) => (
                HopState.Broken,
                "It ended at the tenant's proxy: no node answered on the node port. Check that the backend's pods are ready and that the "
                    + "management cluster can reach the node ports of the tenant's nodes (firewall)."
            ),
            503 when !hasServiceTime => (HopState.Broken, "It ended before the pods: no backend was available."),
            504 when !hasServiceTime => (
                HopState.Broken,
                "It ended at Envoy Gateway after a timeout: the pod did not respond in time. See timeouts of the rule."
            ),
            404 when !hasServiceTime => (
                HopState.Broken,
                "It ended at Envoy Gateway: no rule matches hostname, path, method and headers of the request."
            ),
            500 when !hasServiceTime && body.Length == 0 => (
                HopState.Broken,
                "It ended at Envoy Gateway: a backend of the rule is invalid. See hop \"Backends\"."
            ),
            >= 300 and < 400 when !hasServiceTime => (HopState.Ok, "Envoy Gateway redirected it."),
            >= 500 => (HopState.Warning, "It reached a pod, which responded with an error."),
            _ => (HopState.Ok, "It reached a pod."),
        };

    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[MaxBody];
        var length = await stream
            .ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)
            .ConfigureAwait(false);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, length);
    }
}
