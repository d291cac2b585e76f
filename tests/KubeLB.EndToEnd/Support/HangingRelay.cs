using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// Relays connections to a server until it simulates a failed machine: then it relays nothing, closes no connection, and rejects
/// new connections until it resumes.
/// </summary>
public sealed class HangingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, TaskCompletionSource> _clients = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private volatile bool _hangs;
    private int _rejected;

    public HangingRelay(IPEndPoint server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The number of rejected connections.</summary>
    public int Rejected => Volatile.Read(ref _rejected);

    /// <summary>Hangs, and waits until all clients have disconnected.</summary>
    public Task HangAsync()
    {
        _hangs = true;
        return Task.WhenAll(_clients.Values.Select(c => c.Task)).WaitAsync(TimeSpan.FromSeconds(120));
    }

    /// <summary>Accepts new connections again.</summary>
    public void Resume() => _hangs = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var client in _clients.Keys)
        {
            client.Dispose();
        }

        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (_hangs)
                {
                    client.LingerState = new LingerOption(true, 0);
                    client.Dispose();
                    Interlocked.Increment(ref _rejected);
                    continue;
                }

                var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _clients[client] = left;
                _ = RelayAsync(client, left);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException) { }
    }

    private async Task RelayAsync(Socket client, TaskCompletionSource left)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await server.ConnectAsync(_server, _stop.Token);
        var back = CopyAsync(server, client);
        await CopyAsync(client, server);
        left.TrySetResult();
        _clients.TryRemove(client, out _);
        client.Dispose();
        server.Dispose();
        await back;
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, _stop.Token)) > 0)
            {
                if (!_hangs)
                {
                    await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException) { }
    }
}
