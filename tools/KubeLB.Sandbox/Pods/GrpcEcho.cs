using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.Pods;

/// <summary>
/// Answers any gRPC method, unary or streaming: each request message comes back as a response message, status OK. Nothing needs to be
/// known of the service, since messages are passed on as the bytes they are.
/// </summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md</remarks>
internal static class GrpcEcho
{
    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool Concerns(HttpRequest request) =>
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
