using KubeLB.Sandbox.EnvoyGateway.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Applies CORS rules like Envoy's filter.</summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter</remarks>
internal static class Cors
{
    /// <summary>Sets the headers of the response.</summary>
    /// <returns>Whether the request was a preflight, which is answered here.</returns>
    public static bool Apply(HttpContext context, CorsRule rule)
    {
        var request = context.Request.Headers;
        var origin = request.Origin.ToString();
        if (origin.Length == 0)
        {
            return false;
        }

        var method = request.AccessControlRequestMethod.ToString();
        var isPreflight = HttpMethods.IsOptions(context.Request.Method) && method.Length > 0;
        if (!rule.Allows(origin))
        {
            return isPreflight;
        }

        var requestedHeaders = request.AccessControlRequestHeaders;
        context.Response.OnStarting(() =>
        {
            var response = context.Response.Headers;
            response.AccessControlAllowOrigin = origin;
            if (rule.AllowCredentials)
            {
                response.AccessControlAllowCredentials = "true";
            }

            if (isPreflight)
            {
                response.AccessControlAllowMethods = rule.AllowMethods == "*" ? method : NullIfEmpty(rule.AllowMethods);
                response.AccessControlAllowHeaders = rule.AllowHeaders == "*" ? requestedHeaders : NullIfEmpty(rule.AllowHeaders);
                response.AccessControlMaxAge = rule.MaxAge;
            }
            else if (rule.ExposeHeaders.Length > 0)
            {
                response.AccessControlExposeHeaders = rule.ExposeHeaders;
            }

            return Task.CompletedTask;
        });
        return isPreflight;
    }

    private static StringValues NullIfEmpty(string value) => value.Length == 0 ? default : new StringValues(value);
}
