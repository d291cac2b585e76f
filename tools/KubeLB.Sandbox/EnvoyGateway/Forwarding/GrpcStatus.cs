using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Answers gRPC calls that do not reach a backend, as Envoy does: HTTP 200 and a status in the headers.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md</remarks>
internal static class GrpcStatus
{
    /// <summary>Answers with the gRPC status that stands for an HTTP status.</summary>
    public static Task AnswerAsync(HttpContext context, int httpStatus, string message)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = Of(httpStatus).ToString(CultureInfo.InvariantCulture);
        if (message.Length > 0)
        {
            context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        }

        return Task.CompletedTask;
    }

    private static int Of(int httpStatus) =>
        httpStatus switch
        {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 or 502 or 503 or 504 => 14,
            _ => 2,
        };
}
