using System.Net;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Mirrors requests like Envoy: fire and forget, with <c>-shadow</c> appended to the host.</summary>
internal sealed class RequestMirror(HttpMessageInvoker client)
{
    private const int MaxBody = 10 * 1024 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Starts sending copies. The request body is buffered; requests with a body above 10 MiB are not mirrored.</summary>
    public async Task CopyAsync(HttpContext context, OutgoingRequest request, IReadOnlyList<IPEndPoint> targets)
    {
        context.Request.EnableBuffering(64 * 1024);
        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while (
            body.Length <= MaxBody
            && (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted).ConfigureAwait(false)) > 0
        )
        {
            body.Write(buffer, 0, read);
        }

        context.Request.Body.Position = 0;
        if (body.Length > MaxBody)
        {
            return;
        }

        foreach (var target in targets)
        {
            _ = SendAsync(Copy(context.Request, request with { EndPoints = [target], Host = Shadow(request.Host) }, body.ToArray()));
        }
    }

    private static HttpRequestMessage Copy(HttpRequest source, OutgoingRequest request, byte[] body)
    {
        var copy = new HttpRequestMessage(new HttpMethod(source.Method), BackendForwarder.RawUri(request, attempt: 1))
        {
            Version = request.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body.Length > 0 || source.ContentLength > 0 ? new ByteArrayContent(body) : null,
        };
        foreach (var (name, values) in source.Headers)
        {
            if (
                name.StartsWith(':')
                || name.Equals("Connection", StringComparison.OrdinalIgnoreCase)
                || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
                || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
            )
            {
                continue;
            }

            if (!copy.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
            {
                copy.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        copy.Headers.Host = request.Host;
        return copy;
    }

    /// <summary>Whether a Host header is that of a mirrored request.</summary>
    public static bool IsShadow(string host) => host.Split(':')[0].EndsWith("-shadow", StringComparison.Ordinal);

    private static string Shadow(string host)
    {
        var port = host.LastIndexOf(':');
        return port < 0 ? host + "-shadow" : $"{host[..port]}-shadow{host[port..]}";
    }

    private async Task SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            try
            {
                using var timeout = new CancellationTokenSource(Timeout);
                using var response = await client.SendAsync(request, timeout.Token).ConfigureAwait(false);
                await response.Content.CopyToAsync(Stream.Null, timeout.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                // Responses to mirrored requests are ignored.
            }
        }
    }
}
