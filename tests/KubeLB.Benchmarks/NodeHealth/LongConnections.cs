using System.Net;
using System.Net.WebSockets;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>Websockets and HTTP/2 streams that are open while something happens to a node: which of them live.</summary>
internal sealed class LongConnections(string envoy, HealthSettings settings, TimeSpan time)
{
    private const int Count = 8;

    /// <summary>One of two nodes vanishes: those that do not run through it live, and those that do end.</summary>
    public Task<IReadOnlyList<Row>> NodeVanishesAsync() => RunAsync("a node of 2 vanishes", async (lab, _) =>
    {
        lab.Drop(lab.Node(2));
        await Task.WhenAll(
            NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12000/")),
            NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12001/", http2: true)));
    });

    /// <summary>The application resets requests, so that both nodes are ejected again and again: all live.</summary>
    public Task<IReadOnlyList<Row>> NodesEjectedAsync() => RunAsync("both nodes are ejected again and again", (lab, _) => Task.WhenAll(
        NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12000/reset")),
        NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12001/reset", http2: true))));

    private async Task<IReadOnlyList<Row>> RunAsync(string what, Func<NodeLab, IReadOnlyList<PlayedNode>, Task> happen)
    {
        await using var lab = await NodeLab.StartAsync(envoy);
        await using var one = await PlayedNode.StartAsync(lab.Node(1), HttpProtocols.Http1, 30080);
        await using var two = await PlayedNode.StartAsync(lab.Node(2), HttpProtocols.Http1, 30080);
        await using var oneH2 = await PlayedNode.StartAsync(lab.Node(1), HttpProtocols.Http2, 30081);
        await using var twoH2 = await PlayedNode.StartAsync(lab.Node(2), HttpProtocols.Http2, 30081);
        await lab.ServeAsync(
        [
            settings.Port(new ProxyPort("http", 12000, 30080, ProxyProtocol.Http1), [lab.Node(1), lab.Node(2)]),
            settings.Port(new ProxyPort("grpc", 12001, 30081, ProxyProtocol.Http2), [lab.Node(1), lab.Node(2)]),
        ]);
        var open = await Task.WhenAll(Enumerable.Range(0, Count).SelectMany(_ => new[] { OpenWebSocketAsync(lab.ProxyAddress), OpenStreamAsync(lab.ProxyAddress) }));
        try
        {
            var began = DateTime.UtcNow;
            await happen(lab, [one, two, oneH2, twoH2]);
            await Task.WhenAll(open.Select(o => o.EchoAsync()));
            return [Row("websockets"), Row("h2 streams")];

            Row Row(string kind)
            {
                var of = open.Where(o => o.Kind == kind).ToList();
                var ended = of.Where(o => o.Ended is not null).ToList();
                return new Row(
                    $"{what}, {kind} open; {settings.Name}",
                    string.Join("; ", new[] { lab.Node(1), lab.Node(2) }.Select((node, i) =>
                        $"node {i + 1}: {of.Count(o => o.Node == node && o.Ended is null)} of {of.Count(o => o.Node == node)} live"))
                    + (ended.Count > 0 ? $"; ended after {ended.Max(o => (o.Ended!.Value - began).TotalSeconds):N0} s at most" : ""));
            }
        }
        finally
        {
            Array.ForEach(open, o => o.Dispose());
        }
    }

    private static async Task<OpenConnection> OpenWebSocketAsync(string proxy)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new Uri($"ws://{proxy}:12000/socket"), CancellationToken.None);
        var node = socket.HttpResponseHeaders!["x-node"].Single();
        return new OpenConnection("websockets", node, async () =>
        {
            await socket.SendAsync(new byte[1], WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            return (await socket.ReceiveAsync(new byte[8], CancellationToken.None)).Count == 1;
        }, socket);
    }

    private static async Task<OpenConnection> OpenStreamAsync(string proxy)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        var content = new OpenContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{proxy}:12001/stream")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }

        var input = await response.Content.ReadAsStreamAsync();
        var output = await content.Stream;
        return new OpenConnection("h2 streams", response.Headers.GetValues("x-node").Single(), async () =>
        {
            await output.WriteAsync(new byte[1]);
            await output.FlushAsync();
            return await input.ReadAsync(new byte[8]) > 0;
        }, client);
    }

    /// <summary>A connection through the proxy, on which a byte is echoed each second.</summary>
    private sealed class OpenConnection : IDisposable
    {
        private readonly Func<Task<bool>> _echo;
        private readonly IDisposable _connection;
        private readonly Task _watching;
        private readonly CancellationTokenSource _done = new();

        public OpenConnection(string kind, string node, Func<Task<bool>> echo, IDisposable connection)
        {
            (Kind, Node, _echo, _connection) = (kind, node, echo, connection);
            _watching = WatchAsync();
        }

        public string Kind { get; }

        public string Node { get; }

        public DateTime? Ended { get; private set; }

        /// <summary>Waits for the last echo.</summary>
        public async Task EchoAsync()
        {
            await _done.CancelAsync();
            await _watching;
        }

        public void Dispose()
        {
            _connection.Dispose();
            _done.Dispose();
        }

        private async Task WatchAsync()
        {
            try
            {
                while (!_done.IsCancellationRequested)
                {
                    if (!await _echo().WaitAsync(TimeSpan.FromSeconds(30)))
                    {
                        throw new IOException("closed");
                    }

                    await Task.Delay(1000, CancellationToken.None);
                }
            }
            catch (Exception e) when (e is IOException or WebSocketException or HttpRequestException or TimeoutException)
            {
                Ended = DateTime.UtcNow;
            }
        }
    }

    /// <summary>A request's body that is written as long as the connection is open.</summary>
    private sealed class OpenContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _stream = new();

        public Task<Stream> Stream => _stream.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _stream.SetResult(stream);
            await Task.Delay(Timeout.Infinite);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
