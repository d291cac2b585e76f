using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// Listens on one address and forwards the bytes of each connection to a target. Targets are resolved for each connection and used round
/// robin; an unreachable target is skipped.
/// </summary>
internal sealed class TcpForwarder : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _listener;
    private readonly Func<IReadOnlyList<IPEndPoint>> _targets;
    private readonly ForwardedConnections? _forwarded;
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _turn = -1;

    private TcpForwarder(Socket listener, Func<IReadOnlyList<IPEndPoint>> targets, ForwardedConnections? forwarded)
    {
        _listener = listener;
        _targets = targets;
        _forwarded = forwarded;
        LocalEndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>The end point.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="at">The end point; port 0 for a free port.</param>
    /// <param name="targets">Resolves the current targets.</param>
    /// <param name="forwarded">Gets the open connections; null for none.</param>
    /// <exception cref="SocketException">The end point cannot be bound.</exception>
    public static TcpForwarder Start(IPEndPoint at, Func<IReadOnlyList<IPEndPoint>> targets, ForwardedConnections? forwarded = null)
    {
        var listener = ListeningSocket.NewSocket();
        try
        {
            listener.Bind(at);
            listener.Listen();
            return new TcpForwarder(listener, targets, forwarded);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Stops listening immediately; open connections are closed after the timeout.</summary>
    public async Task DrainAsync(TimeSpan atMost)
    {
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        try
        {
            await Task.WhenAll(_connections.Keys).WaitAsync(atMost, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException) { }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Stops listening and closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Keys).ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                if (!_listener.IsBound || _stop.IsCancellationRequested)
                {
                    return;
                }

                continue;
            }

            var connection = Task.Run(() => ForwardAsync(client));
            _connections.TryAdd(connection, 0);
            _ = connection.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using (client)
        {
            client.NoDelay = true;
            using var server = await ConnectAsync().ConfigureAwait(false);
            if (server is null)
            {
                // A reset, as from a closed port, instead of an empty response.
                client.LingerState = new LingerOption(true, 0);
                return;
            }

            using var abort = _stop.Token.Register(() =>
            {
                client.Dispose();
                server.Dispose();
            });
            var own = (IPEndPoint)server.LocalEndPoint!;
            _forwarded?.Add(own, LocalEndPoint);
            await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client)).ConfigureAwait(false);
            _forwarded?.Remove(own);
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        var targets = _targets();
        var turn = (int)((uint)Interlocked.Increment(ref _turn) % (uint)Math.Max(targets.Count, 1));
        for (var i = 0; i < targets.Count; i++)
        {
            var server = ListeningSocket.NewSocket();
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            timeout.CancelAfter(ConnectTimeout);
            try
            {
                await server.ConnectAsync(targets[(turn + i) % targets.Count], timeout.Token).ConfigureAwait(false);
                return server;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                server.Dispose();
            }
        }

        return null;
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer).ConfigureAwait(false)) > 0)
            {
                for (var sent = 0; sent < read; )
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent)).ConfigureAwait(false);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
