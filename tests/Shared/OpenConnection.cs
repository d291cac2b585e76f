using System.Net;
using System.Net.WebSockets;

namespace KubeLB.Tests.Shared;

/// <summary>A websocket or an HTTP/2 stream through a proxy to a <see cref="FakeNode"/>, on which a byte is echoed each second.</summary>
internal sealed class OpenConnection : IDisposable
{
    public const string WebSocket = "websockets";
    public const string Http2Stream = "HTTP/2 streams";

    private readonly Func<Task<bool>> _echo;
    private readonly IDisposable _connection;
    private readonly Task _watching;
    private readonly CancellationTokenSource _done = new();

    private OpenConnection(string kind, string node, Func<Task<bool>> echo, IDisposable connection)
    {
        (Kind, Node, _echo, _connection) = (kind, node, echo, connection);
        _watching = WatchAsync();
    }

    /// <summary>What it is.</summary>
    public string Kind { get; }

    /// <summary>Address of the node through which it runs.</summary>
    public string Node { get; }

    /// <summary>When it ended; null while it lives.</summary>
    public DateTime? Ended { get; private set; }

    /// <summary>Opens a websocket.</summary>
    public static async Task<OpenConnection> WebSocketAsync(string proxy, int port)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new Uri($"ws://{proxy}:{port}/socket"), CancellationToken.None);
        return new OpenConnection(
            WebSocket,
            socket.HttpResponseHeaders![FakeNode.NodeHeader].Single(),
            async () =>
            {
                await socket.SendAsync(new byte[1], WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
                return (await socket.ReceiveAsync(new byte[8], CancellationToken.None)).Count == 1;
            },
            socket
        );
    }

    /// <summary>Opens a stream in both directions, as gRPC has them.</summary>
    public static async Task<OpenConnection> StreamAsync(string proxy, int port)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        var content = new OpenContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{proxy}:{port}/stream")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        var response = (await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
        var input = await response.Content.ReadAsStreamAsync();
        var output = await content.Stream;
        return new OpenConnection(
            Http2Stream,
            response.Headers.GetValues(FakeNode.NodeHeader).Single(),
            async () =>
            {
                await output.WriteAsync(new byte[1]);
                await output.FlushAsync();
                return await input.ReadAsync(new byte[8]) > 0;
            },
            client
        );
    }

    /// <summary>Waits for the last echo.</summary>
    public async Task StopAsync()
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
