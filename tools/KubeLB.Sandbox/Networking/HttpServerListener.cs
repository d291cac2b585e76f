using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// A socket of an <see cref="HttpServer"/>. It detects the protocol of each connection by its first bytes, and passes the connection to the
/// HTTP/1.1, HTTP/2 or TLS queue of the server. It is a feature of the requests.
/// </summary>
internal sealed class HttpServerListener : IAsyncDisposable
{
    private static readonly TimeSpan PrefaceTimeout = TimeSpan.FromSeconds(30);

    private readonly IConnectionListener _listener;
    private readonly HttpServer _httpServer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    internal HttpServerListener(HttpServer httpServer, IConnectionListener listener, ListenerTls? tls, object owner)
    {
        _httpServer = httpServer;
        _listener = listener;
        Tls = tls;
        Owner = owner;
        LocalEndPoint = (IPEndPoint)listener.EndPoint;
        _accepting = AcceptAsync();
    }

    /// <summary>The end point.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Identifies the listener to the application.</summary>
    public object Owner { get; }

    /// <summary>TLS settings; null for plain text.</summary>
    public ListenerTls? Tls { get; }

    /// <summary>Stops listening. Open connections continue.</summary>
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
            var end = _httpServer.Tls;
            if (Tls is null)
            {
                using var timeout = new CancellationTokenSource(PrefaceTimeout);
                end = await Http2Preface.IsNextAsync(connection.Transport.Input, timeout.Token).ConfigureAwait(false)
                    ? _httpServer.Http2
                    : _httpServer.Http1;
            }

            if (end.TryEnqueue(connection))
            {
                return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException) { }

        connection.Abort();
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>Detects HTTP/2 without TLS (prior knowledge).</summary>
/// <remarks>RFC 9113 section 3.4.</remarks>
internal static class Http2Preface
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>
    /// Whether the connection starts with the preface. Consumes no bytes, and waits only for the bytes needed for the decision.
    /// </summary>
    public static async Task<bool> IsNextAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var evaluation = MatchesPreface(read.Buffer);
            if (evaluation is null && !read.IsCompleted)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            input.AdvanceTo(read.Buffer.Start);
            return evaluation is true;
        }
    }

    /// <summary>Null while the bytes are a prefix of the preface.</summary>
    internal static bool? MatchesPreface(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[Preface.Length];
        var length = (int)Math.Min(bytes.Length, Preface.Length);
        bytes.Slice(0, length).CopyTo(start);
        if (!Preface[..length].SequenceEqual(start[..length]))
        {
            return false;
        }

        return length == Preface.Length ? true : null;
    }
}
