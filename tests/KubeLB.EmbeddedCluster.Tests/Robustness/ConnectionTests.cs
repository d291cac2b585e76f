using System.Net.Sockets;
using System.Text;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Robustness;

/// <summary>Idle and interrupted connections.</summary>
public sealed class ConnectionTests : IAsyncLifetime, IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        _api = new Api(_cluster);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose() => _api.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("POST /api/v1/namesp")]
    [InlineData("POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nConte")]
    [InlineData(
        "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nContent-Length: 1000\r\n\r\n{\"me"
    )]
    [InlineData(
        "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nTransfer-Encoding: "
            + "chunked\r\n\r\n5\r\n{\"m"
    )]
    [Trait("Threat", "api-connections")]
    public async Task Half_open_connections_do_not_block_requests_or_stop(string beginning)
    {
        var sockets = await OpenAsync(300, beginning);
        try
        {
            (await _api.PostAsync(Maps, """{"metadata":{"name":"seen"}}""")).ShouldBe(201);
            (await _api.GetAsync("/readyz")).ShouldBe(200);

            await _cluster.DisposeAsync();

            foreach (var socket in sockets)
            {
                (await EndsAsync(socket)).Should().BeTrue("a stopped server closes all connections");
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    [Trait("Threat", "api-connections")]
    public async Task Missing_body_times_out()
    {
        var sockets = await OpenAsync(
            20,
            $"POST {Maps} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nContent-Length: 1000\r\n\r\n{{"
        );
        try
        {
            foreach (var socket in sockets)
            {
                (await EndsAsync(socket)).Should().BeTrue("the server has a timeout for the rest of the body");
            }
            await UntilAsync(() => _cluster.CountRunning(request => request.IsWrite) == 0);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    [Trait("Threat", "api-connections")]
    public async Task Non_HTTP_bytes_close_the_connection()
    {
        var sockets = await OpenAsync(20, "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\r\n\r\n");
        try
        {
            foreach (var socket in sockets)
            {
                (await EndsAsync(socket)).Should().BeTrue();
            }
            (await _api.GetAsync("/readyz")).ShouldBe(200);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>A request hidden in the body of another must not be answered.</summary>
    [Theory]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n")]
    [InlineData("Content-Length: 0\r\nContent-Length: 60", "")]
    [InlineData("Transfer-Encoding: xchunked", "0\r\n\r\n")]
    [Trait("Threat", "api-connections")]
    public async Task Ambiguous_body_length_ends_the_connection(string headers, string body)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_cluster.Url.Host, _cluster.Url.Port);
        await socket
            .GetStream()
            .WriteAsync(
                Encoding.Latin1.GetBytes(
                    $"POST {Maps} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
                )
            );
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var reader = new StreamReader(socket.GetStream(), Encoding.Latin1);

        var text = await reader.ReadToEndAsync(deadline.Token);

        text.Should().StartWith("HTTP/1.1 4").And.NotContain("gitVersion");
    }

    [Fact]
    [Trait("Threat", "api-connections")]
    public async Task Two_thousand_idle_watches_do_not_block_writes_and_are_closed()
    {
        const int Watches = 2_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watches = await Task.WhenAll(
            Enumerable.Range(0, Watches).Select(_ => _api.WatchAsync($"{Maps}?watch=1&allowWatchBookmarks=true"))
        );
        try
        {
            _cluster.CountRunning(request => request.Verb == "watch").Should().Be(Watches);
            var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Watches;
            each.Should().BeLessThan(100 * 1024, "limit in bytes of an idle watch, including client and connection");

            (await _api.PostAsync(Maps, """{"metadata":{"name":"seen"}}""")).ShouldBe(201);

            (await Task.WhenAll(watches.Select(watch => watch.NextNameAsync()))).Should().OnlyContain(name => name == "ADDED seen");
        }
        finally
        {
            foreach (var watch in watches)
            {
                watch.Dispose();
            }
        }
        await UntilAsync(() => _cluster.CountRunning(request => request.Verb == "watch") == 0);
        (await _api.PostAsync(Maps, """{"metadata":{"name":"after"}}""")).ShouldBe(201);
    }

    private async Task<List<TcpClient>> OpenAsync(int count, string beginning)
    {
        var text = Encoding.Latin1.GetBytes(beginning.Replace("TOKEN", _cluster.ClientConfiguration().AccessToken));
        var sockets = new List<TcpClient>();
        for (var i = 0; i < count; i++)
        {
            var socket = new TcpClient();
            await socket.ConnectAsync(_cluster.Url.Host, _cluster.Url.Port);
            await socket.GetStream().WriteAsync(text);
            sockets.Add(socket);
        }
        return sockets;
    }

    /// <summary>Whether the server closes a connection, possibly after a last response.</summary>
    private static async Task<bool> EndsAsync(TcpClient socket)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[4096];
        try
        {
            while (await socket.GetStream().ReadAsync(buffer, deadline.Token) > 0) { }
            return true;
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (!condition())
        {
            DateTime.UtcNow.Should().BeBefore(deadline);
            await Task.Delay(10);
        }
    }
}
