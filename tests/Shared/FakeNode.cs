using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KubeLB.Tests.Shared;

/// <summary>
/// Node ports of a node: they answer over HTTP/1.1 or HTTP/2 with the node's address, and echo websockets, streams (<c>/stream</c>) and
/// TCP. <c>/reset</c> resets the connection in mid-request, <c>/slow-reset</c> a quarter of a second later, <c>/fail</c> answers 500.
/// </summary>
internal sealed class FakeNode : IAsyncDisposable
{
    /// <summary>A header of each response: the node's address.</summary>
    public const string NodeHeader = "x-node";

    private readonly WebApplication _app;
    private readonly string _address;
    private int _connections;
    private int _requests;

    private FakeNode(WebApplication app, string address) => (_app, _address) = (app, address);

    /// <summary>Connections made to it so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Requests received so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>A node that listens.</summary>
    /// <param name="address">Address of the node.</param>
    /// <param name="protocols">What is spoken at the ports; none for TCP.</param>
    /// <param name="ports">The node ports.</param>
    public static async Task<FakeNode> StartAsync(string address, HttpProtocols protocols, params int[] ports)
    {
        var node = Create(address, protocols, ports);
        await node.ListenAsync();
        return node;
    }

    /// <summary>A node that does not listen yet.</summary>
    public static FakeNode Create(string address, HttpProtocols protocols, params int[] ports)
    {
        FakeNode? node = null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            foreach (var port in ports)
            {
                kestrel.Listen(
                    IPAddress.Parse(address),
                    port,
                    listen =>
                    {
                        listen.Use(next =>
                            connection =>
                            {
                                Interlocked.Increment(ref node!._connections);
                                return next(connection);
                            }
                        );
                        if (protocols == HttpProtocols.None)
                        {
                            listen.Run(connection => connection.Transport.Input.CopyToAsync(connection.Transport.Output));
                        }
                        else
                        {
                            listen.Protocols = protocols;
                        }
                    }
                );
            }
        });
        node = new FakeNode(builder.Build(), address);
        node._app.UseWebSockets();
        node._app.Run(node.AnswerAsync);
        return node;
    }

    /// <summary>Starts to listen.</summary>
    public Task ListenAsync() => _app.StartAsync();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        context.Response.Headers[NodeHeader] = _address;
        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[64];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            {
                await socket.SendAsync(
                    buffer.AsMemory(0, received.Count),
                    WebSocketMessageType.Binary,
                    endOfMessage: true,
                    context.RequestAborted
                );
            }
        }
        else if (context.Request.Path == "/stream")
        {
            await context.Response.Body.FlushAsync();
            await context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
        }
        else if (context.Request.Path == "/headers")
        {
            await context.Response.WriteAsync(string.Join('\n', context.Request.Headers.Select(h => $"{h.Key}: {h.Value}")));
        }
        else
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            if (context.Request.Path == "/slow-reset")
            {
                await Task.Delay(250);
            }

            if (context.Request.Path == "/reset" || context.Request.Path == "/slow-reset")
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = context.Request.Path == "/fail" ? 500 : 200;
            await context.Response.WriteAsync(_address);
        }
    }
}
