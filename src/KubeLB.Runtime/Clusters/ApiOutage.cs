using System.Net;
using System.Security.Authentication;
using k8s.Autorest;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Tells the absence of an API server from its other failures: no connection, 503, or 429 while its storage starts. Nothing is wrong with
/// the request, and trying again costs nothing, so it is retried soon: when the API server is back, nobody is to sleep.
/// </summary>
internal static class ApiOutage
{
    /// <summary>The longest delay of a retry, before jitter.</summary>
    public static readonly TimeSpan RetryWithin = TimeSpan.FromSeconds(2);

    public static bool Is(Exception failure) =>
        failure switch
        {
            HttpOperationException { Response.StatusCode: HttpStatusCode.ServiceUnavailable } => true,
            HttpOperationException { Response: { StatusCode: HttpStatusCode.TooManyRequests } response } => response.Content?.Contains(
                "storage is (re)initializing",
                StringComparison.Ordinal
            ) == true,
            HttpRequestException or IOException => !IsHandshake(failure),
            _ => false,
        };

    // A certificate that is not trusted stays so.
    private static bool IsHandshake(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is AuthenticationException)
            {
                return true;
            }
        }

        return false;
    }
}
