using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// A socket of an <see cref="HttpFront"/>. It looks at the first bytes of each connection and hands it to the server's HTTP/1.1,
/// HTTP/2 or TLS end. Requests find it among their features.
/// </summary>
internal sealed class FrontListener : IAsyncDisposable
{
    private static readonly TimeSpan PrefaceTimeout = TimeSpan.FromSeconds(30);

    private readonly IConnectionListener _listener;
    private readonly HttpFront _front;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    internal FrontListener(HttpFront front, IConnectionListener listener, FrontTls? tls, object owner)
    {
        _front = front;
        _listener = listener;
        Tls = tls;
        Owner = owner;
        LocalEndPoint = (IPEndPoint)listener.EndPoint;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>What the listener serves; for the application to know whose request it got.</summary>
    public object Owner { get; }

    /// <summary>Certificates, if the listener speaks TLS.</summary>
    public FrontTls? Tls { get; }

    /// <summary>Stops listening. Connections that are open go on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.UnbindAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false) is { } connection)
            {
                connection.Features.Set(this);
                _ = Task.Run(() => DispatchAsync(connection));
            }
        }
        catch (OperationCanceledException) { }
    }

    private async Task DispatchAsync(ConnectionContext connection)
    {
        try
        {
            var end = _front.Tls;
            if (Tls is null)
            {
                using var timeout = new CancellationTokenSource(PrefaceTimeout);
                end = await Http2Preface.IsNextAsync(connection.Transport.Input, timeout.Token).ConfigureAwait(false)
                    ? _front.Http2
                    : _front.Http1;
            }

            if (end.Hand(connection))
            {
                return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException) { }

        connection.Abort();
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
