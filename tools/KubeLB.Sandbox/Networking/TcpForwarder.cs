using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// Listens on one address and passes the bytes of each connection on to a target, whatever protocol they speak. Targets are asked for
/// anew for each connection and taken in turn; one that cannot be reached is skipped for the next.
/// </summary>
internal sealed class TcpForwarder : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _listener;
    private readonly Func<IReadOnlyList<IPEndPoint>> _targets;
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _turn = -1;

    private TcpForwarder(Socket listener, Func<IReadOnlyList<IPEndPoint>> targets)
    {
        _listener = listener;
        _targets = targets;
        LocalEndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Number of connections being forwarded.</summary>
    public int OpenConnections => _connections.Count;

    /// <summary>Starts listening.</summary>
    /// <param name="at">Where; port 0 for a free one.</param>
    /// <param name="targets">Where connections may go at this moment.</param>
    /// <exception cref="SocketException">The end point cannot be bound.</exception>
    public static TcpForwarder Start(IPEndPoint at, Func<IReadOnlyList<IPEndPoint>> targets)
    {
        var listener = ListeningSocket.NewSocket();
        try
        {
            listener.Bind(at);
            listener.Listen();
            return new TcpForwarder(listener, targets);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Stops listening at once; open connections go on until they end by themselves or the time is over.</summary>
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
                // A reset, as from a port that nobody listens on, rather than an empty answer.
                client.LingerState = new LingerOption(true, 0);
                return;
            }

            using var abort = _stop.Token.Register(() =>
            {
                client.Dispose();
                server.Dispose();
            });
            await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client)).ConfigureAwait(false);
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
