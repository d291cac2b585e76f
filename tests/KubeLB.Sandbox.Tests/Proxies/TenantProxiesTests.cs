using System.Net;
using System.Net.Sockets;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies;
using KubeLB.Sandbox.Tests.Support;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeLB.Sandbox.Tests.Proxies;

public sealed class TenantProxiesTests : IAsyncLifetime
{
    private readonly LoopbackAddresses _addresses = new();
    private readonly SnapshotCache _cache = new();
    private readonly CancellationTokenSource _stop = new();
    private TenantProxies _proxies = null!;
    private EchoBackends _backends = null!;
    private Task _running = null!;

    public async ValueTask InitializeAsync()
    {
        _backends = await EchoBackends.StartAsync(_addresses);
        _proxies = new TenantProxies(_addresses, NullLoggerFactory.Instance);
        _running = _proxies.RunAsync(new SnapshotCacheSource(_cache), _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _proxies.DisposeAsync();
        await _backends.DisposeAsync();
        _addresses.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Connections_use_the_endpoints_round_robin()
    {
        _cache.Set("tenant-t", SnapshotOf(10000, await PodAsync("a"), await PodAsync("b")));

        var pods = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            pods.Add((await Http.EchoAsync(await ProxyAsync("tenant-t", 10000))).Pod);
        }

        pods.Should().Equal("a", "b", "a", "b");
    }

    [Fact]
    public async Task Unreachable_endpoint_is_skipped()
    {
        var dead = new IPEndPoint(_addresses.Take(), 9);
        _cache.Set("tenant-t", SnapshotOf(10000, dead, await PodAsync("a")));

        for (var i = 0; i < 3; i++)
        {
            (await Http.EchoAsync(await ProxyAsync("tenant-t", 10000))).Pod.Should().Be("a");
        }
    }

    [Fact]
    public async Task Connection_without_endpoint_is_closed()
    {
        _cache.Set("tenant-t", SnapshotOf(10000));
        (await IsClosedAtOnceAsync(await ProxyAsync("tenant-t", 10000))).Should().BeTrue();
    }

    [Fact]
    public async Task Changed_endpoints_are_used_by_new_connections_only()
    {
        _cache.Set("tenant-t", SnapshotOf(10000, await PodAsync("old")));
        using var open = new TcpClient();
        await open.ConnectAsync(await ProxyAsync("tenant-t", 10000));
        (await SendRequestAsync(open)).Should().Contain("\"pod\": \"old\"");

        var other = SnapshotOf(10001, await PodAsync("new"));
        _cache.Set("tenant-t", other);
        (await Http.EchoAsync(await ProxyAsync("tenant-t", 10001))).Pod.Should().Be("new");

        await Eventually.HoldsAsync(() => _proxies.Resolve("tenant-t", 10000) is null, "the old listener is closed");
        (await SendRequestAsync(open)).Should().Contain("\"pod\": \"old\"", "an open connection is drained, not cut");
    }

    [Fact]
    public async Task Two_tenants_can_use_the_same_port()
    {
        _cache.Set("tenant-a", SnapshotOf(10000, await PodAsync("a")));
        _cache.Set("tenant-b", SnapshotOf(10000, await PodAsync("b")));

        (await Http.EchoAsync(await ProxyAsync("tenant-a", 10000))).Pod.Should().Be("a");
        (await Http.EchoAsync(await ProxyAsync("tenant-b", 10000))).Pod.Should().Be("b");
    }

    private static Snapshot SnapshotOf(int port, params IPEndPoint[] endpoints) =>
        new(
            [new ProxyListener("l", port, ListenerProtocol.Tcp, "c")],
            [new ProxyCluster("c", UpstreamProtocol.Http1, [.. endpoints.Select(e => new ProxyEndpoint(e.Address.ToString(), e.Port))])]
        );

    private async Task<IPEndPoint> PodAsync(string name)
    {
        var pod = new EchoPod("tenant", "default", name, "node", _addresses.Take());
        await _backends.ListenAsync(pod, 8080);
        return _backends.Resolve(pod.Address, 8080, $"default/{name}");
    }

    private async Task<IPEndPoint> ProxyAsync(string node, int port)
    {
        await Eventually.HoldsAsync(() => _proxies.Resolve(node, port) is not null, $"the proxy of {node} listens on {port}");
        return _proxies.Resolve(node, port)!;
    }

    // Depending on timing, the connection is closed or reset.
    private static async Task<bool> IsClosedAtOnceAsync(IPEndPoint at)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(at, limit.Token);
            return await socket.ReceiveAsync(new byte[1], limit.Token) == 0;
        }
        catch (SocketException e) when (e.SocketErrorCode != SocketError.ConnectionRefused)
        {
            return true;
        }
    }

    private static async Task<string> SendRequestAsync(TcpClient connection)
    {
        var stream = connection.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        var text = "";
        var buffer = new byte[4096];
        while (!text.EndsWith("}\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer);
            read.Should().BePositive("the connection should be open");
            text += System.Text.Encoding.ASCII.GetString(buffer, 0, read);
        }

        return text;
    }
}
