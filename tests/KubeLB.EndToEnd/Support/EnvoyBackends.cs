using System.Net;
using System.Net.WebSockets;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.EndToEnd.Support;

/// <summary>Simulated node ports of a tenant: HTTP/1.1 with a websocket, gRPC over HTTP/2 without TLS, and TCP that echoes.</summary>
public sealed class EnvoyBackends : IAsyncDisposable
{
    private static readonly Method<Empty, StringValue> Name = new(
        MethodType.Unary,
        "kubelb.test.Backend",
        "Name",
        Marshallers.Create(Google.Protobuf.MessageExtensions.ToByteArray, Empty.Parser.ParseFrom),
        Marshallers.Create(Google.Protobuf.MessageExtensions.ToByteArray, StringValue.Parser.ParseFrom)
    );

    private WebApplication? _app;
    private IReadOnlyList<int> _ports = [];

    public int HttpPort => _ports[0];

    public int GrpcPort => _ports[1];

    public int TcpPort => _ports[2];

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen => listen.Run(connection => connection.Transport.Input.CopyToAsync(connection.Transport.Output))
            );
        });
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        _ports =
        [
            .. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a).Port),
        ];
    }

    /// <summary>Calls the gRPC backend through a port of the loopback interface.</summary>
    public static async Task<string> CallGrpcAsync(int port)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var answer = await channel
            .CreateCallInvoker()
            .AsyncUnaryCall(Name, null, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(30)), new Empty());
        return answer.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[16];
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            await socket.SendAsync(
                buffer.AsMemory(0, received.Count),
                WebSocketMessageType.Text,
                endOfMessage: true,
                context.RequestAborted
            );
        }
        else if (context.Request.ContentType == "application/grpc")
        {
            context.Response.ContentType = "application/grpc";
            var message = Google.Protobuf.MessageExtensions.ToByteArray(new StringValue { Value = "rpc" });
            await context.Response.Body.WriteAsync(
                new byte[] { 0, 0, 0, 0, (byte)message.Length }
                    .Concat(message)
                    .ToArray()
            );
            context.Response.AppendTrailer("grpc-status", "0");
        }
        else
        {
            await context.Response.WriteAsync($"web {context.Request.Path}", Encoding.UTF8);
        }
    }
}
