using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// An end of the server that accepts connections which somebody else accepted before: Kestrel speaks one protocol per end, and which
/// one a connection needs is known only after its first bytes.
/// </summary>
internal sealed class HandedOverConnections(string name) : EndPoint, IConnectionListener
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();

    EndPoint IConnectionListener.EndPoint => this;

    /// <summary>Passes a connection to the server.</summary>
    /// <returns>False if the server has stopped.</returns>
    public bool Hand(ConnectionContext connection) => _connections.Writer.TryWrite(connection);

    /// <inheritdoc/>
    public override string ToString() => name;

    async ValueTask<ConnectionContext?> IConnectionListener.AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _connections.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    ValueTask IConnectionListener.UnbindAsync(CancellationToken cancellationToken)
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    ValueTask IAsyncDisposable.DisposeAsync()
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets Kestrel "bind" such an end.</summary>
    internal sealed class Factory : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        public bool CanBind(EndPoint endpoint) => endpoint is HandedOverConnections;

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult<IConnectionListener>((HandedOverConnections)endpoint);
    }
}
