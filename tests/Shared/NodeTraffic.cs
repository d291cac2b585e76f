using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Tests.Shared;

/// <summary>The outcome of a request.</summary>
/// <param name="Sent">When it was sent, since the traffic began.</param>
/// <param name="Took">Until its answer, or its failure.</param>
/// <param name="Node">The node that answered; null for a failure.</param>
/// <param name="Failure">Why it failed; null for an answer.</param>
internal sealed record Outcome(TimeSpan Sent, TimeSpan Took, string? Node, string? Failure)
{
    /// <summary>
    /// Whether it had been sent to a node over a connection that was open when the node vanished: no proxy can send it again.
    /// </summary>
    public bool WasSentToNode => Failure?.Contains("connection termination", StringComparison.Ordinal) == true;
}

/// <summary>Requests through a proxy at a steady rate, independent of earlier outcomes.</summary>
internal static class NodeTraffic
{
    /// <summary>How long a client waits.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Sends for some time, and waits for what was sent.</summary>
    public static async Task<IReadOnlyList<Outcome>> SendAsync(
        double perSecond,
        TimeSpan time,
        Func<Task<string>> send,
        Action<Outcome>? done = null
    )
    {
        var outcomes = new ConcurrentBag<Outcome>();
        var pending = new List<Task>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i / perSecond < time.TotalSeconds; i++)
        {
            var due = TimeSpan.FromSeconds(i / perSecond) - clock.Elapsed;
            if (due > TimeSpan.Zero)
            {
                await Task.Delay(due);
            }

            pending.Add(
                Task.Run(async () =>
                {
                    var outcome = await SendAsync(clock, send);
                    outcomes.Add(outcome);
                    done?.Invoke(outcome);
                })
            );
        }

        await Task.WhenAll(pending);
        return [.. outcomes.OrderBy(o => o.Sent)];
    }

    /// <summary>Requests over a client's own connections, which it keeps.</summary>
    /// <param name="url">What is asked for.</param>
    /// <param name="body">Bytes to post; none for a GET.</param>
    /// <param name="http2">Whether HTTP/2 is spoken.</param>
    public static Func<Task<string>> Kept(string url, int body = 0, bool http2 = false)
    {
        var client = Client();
        return () => AskAsync(client, url, body, http2);
    }

    /// <summary>Requests over a new connection each.</summary>
    public static Func<Task<string>> Fresh(string url, int body = 0, bool http2 = false) =>
        async () =>
        {
            using var client = Client();
            return await AskAsync(client, url, body, http2);
        };

    /// <summary>TCP connections, of which each sends something and reads it again.</summary>
    public static Func<Task<string>> Tcp(string address, int port) =>
        async () =>
        {
            using var deadline = new CancellationTokenSource(Deadline);
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Parse(address), port, deadline.Token);
            await client.GetStream().WriteAsync("ping"u8.ToArray(), deadline.Token);
            await client.GetStream().ReadExactlyAsync(new byte[4], deadline.Token);
            return "tcp";
        };

    private static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Deadline };

    private static async Task<Outcome> SendAsync(Stopwatch clock, Func<Task<string>> send)
    {
        var sent = clock.Elapsed;
        try
        {
            var node = await send();
            return new Outcome(sent, clock.Elapsed - sent, node, null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            return new Outcome(sent, clock.Elapsed - sent, null, e.Message);
        }
    }

    private static async Task<string> AskAsync(HttpClient client, string url, int body, bool http2)
    {
        using var request = new HttpRequestMessage(body > 0 ? HttpMethod.Post : HttpMethod.Get, url)
        {
            Version = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body > 0 ? new ByteArrayContent(new byte[body]) : null,
        };
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? text : throw new HttpRequestException($"{(int)response.StatusCode} {text}");
    }
}
