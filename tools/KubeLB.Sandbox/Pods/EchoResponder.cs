using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using KubeLB.Sandbox.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubeLB.Sandbox.Pods;

/// <summary>Handles the requests of the echo backends: HTTP gets the request as JSON; gRPC and WebSocket messages are echoed.</summary>
internal static class EchoResponder
{
    private const int MaxBody = 16 * 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Adds the responder to a server.</summary>
    public static void Configure(WebApplication server)
    {
        server.UseWebSockets();
        server.Run(RespondAsync);
    }

    /// <summary>Parses a response.</summary>
    public static EchoedRequest Parse(string json) =>
        JsonSerializer.Deserialize<EchoedRequest>(json, Json) ?? throw new JsonException("The response of the echo backend is null.");

    private static async Task RespondAsync(HttpContext context)
    {
        if (await EchoFault.InjectAsync(context).ConfigureAwait(false))
        {
            return;
        }

        var port = (EchoPort)context.Features.Get<HttpServerListener>()!.Owner;
        if (GrpcEcho.IsGrpcCall(context.Request))
        {
            await GrpcEcho.RespondAsync(context, port).ConfigureAwait(false);
        }
        else if (context.WebSockets.IsWebSocketRequest)
        {
            await EchoWebSocketAsync(context).ConfigureAwait(false);
        }
        else
        {
            await EchoAsync(context, port).ConfigureAwait(false);
        }
    }

    private static async Task EchoAsync(HttpContext context, EchoPort port)
    {
        var request = context.Request;
        var (body, length) = await ReadBodyAsync(request).ConfigureAwait(false);
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var echoed = new EchoedRequest
        {
            Method = request.Method,
            Path = query < 0 ? target : target[..query],
            Query = query < 0 ? "" : target[query..],
            Host = request.Host.Value ?? "",
            Protocol = request.Protocol,
            Headers = request
                .Headers.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.Select(v => v ?? "").ToArray()),
            Body = body,
            BodyLength = length,
            Cluster = port.Pod.Cluster,
            Namespace = port.Pod.Namespace,
            Pod = port.Pod.Name,
            PodIp = port.Pod.Address.ToString(),
            ContainerPort = port.Port,
            Node = port.Pod.Node,
        };
        context.Response.ContentType = "application/json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(echoed, Json);
        context.Response.ContentLength = bytes.Length + 1;
        if (!HttpMethods.IsHead(request.Method))
        {
            await context.Response.Body.WriteAsync((byte[])[.. bytes, (byte)'\n'], context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static async Task<(string Text, long Length)> ReadBodyAsync(HttpRequest request)
    {
        var kept = new ArrayBufferWriter<byte>();
        var buffer = new byte[MaxBody];
        long length = 0;
        int read;
        while ((read = await request.Body.ReadAsync(buffer, request.HttpContext.RequestAborted).ConfigureAwait(false)) > 0)
        {
            length += read;
            kept.Write(buffer.AsSpan(0, Math.Min(read, MaxBody - kept.WrittenCount)));
        }

        return (Encoding.UTF8.GetString(kept.WrittenSpan), length);
    }

    private static async Task EchoWebSocketAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var message = await socket.ReceiveAsync(buffer, context.RequestAborted).ConfigureAwait(false);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted).ConfigureAwait(false);
                return;
            }

            await socket
                .SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted)
                .ConfigureAwait(false);
        }
    }
}

/// <summary>
/// Echoes any gRPC method, unary or streaming: each request message is returned as a response message, with status OK. The service
/// definition is not needed, because messages are copied as bytes.
/// </summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md</remarks>
internal static class GrpcEcho
{
    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsGrpcCall(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol)
        && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Echoes the call.</summary>
    public static async Task RespondAsync(HttpContext context, EchoPort port)
    {
        var response = context.Response;
        response.ContentType = context.Request.ContentType;
        if (context.Request.Headers.TryGetValue("grpc-encoding", out var encoding))
        {
            response.Headers["grpc-encoding"] = encoding;
        }

        response.Headers["x-echo-cluster"] = port.Pod.Cluster;
        response.Headers["x-echo-namespace"] = port.Pod.Namespace;
        response.Headers["x-echo-pod"] = port.Pod.Name;
        response.Headers["x-echo-node"] = port.Pod.Node;
        response.Headers["x-echo-path"] = context.Request.Path.Value;
        response.Headers["x-echo-host"] = context.Request.Host.Value;
        await response.StartAsync(context.RequestAborted).ConfigureAwait(false);

        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted).ConfigureAwait(false)) > 0)
        {
            await response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
            await response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }

        response.AppendTrailer("grpc-status", "0");
        response.AppendTrailer("grpc-message", "");
        response.AppendTrailer("x-echo-pod", port.Pod.Name);
    }
}
