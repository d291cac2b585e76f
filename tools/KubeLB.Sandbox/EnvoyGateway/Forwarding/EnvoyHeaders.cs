using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Request headers that Envoy adds before it routes.</summary>
internal static class EnvoyHeaders
{
    /// <summary>Adds X-Forwarded-For, X-Forwarded-Proto and X-Request-Id.</summary>
    public static void Add(HttpContext context, bool isHttps)
    {
        var headers = context.Request.Headers;
        var client = context.Connection.RemoteIpAddress?.ToString() ?? "";
        headers["x-forwarded-for"] = StringValues.IsNullOrEmpty(headers["x-forwarded-for"])
            ? client
            : $"{headers["x-forwarded-for"]},{client}";
        headers["x-forwarded-proto"] = isHttps ? "https" : "http";
        if (StringValues.IsNullOrEmpty(headers["x-request-id"]))
        {
            headers["x-request-id"] = Guid.NewGuid().ToString();
        }
    }
}
