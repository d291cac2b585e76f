using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using k8s.Autorest;

namespace KubeLB.Runtime.Clusters;

/// <summary>The error of a failed request, with a remedy.</summary>
/// <param name="Category">Equal for errors of the same cause, so that each cause is logged once and not at every retry.</param>
/// <param name="Message">A sentence for logs and <c>/readyz</c>.</param>
internal sealed record ApiError(string Category, string Message)
{
    /// <summary>The category of the error for a kind that the API server does not serve.</summary>
    public const string NotServed = "not served";

    /// <summary>Whether the error affects every kind of the cluster, so that it is reported once and not for each kind.</summary>
    public bool IsClusterWide { get; private init; }

    public static ApiError From(Exception failure, string cluster, ApiTransport transport, ResourceKind? kind, string operation)
    {
        var address = transport.BaseAddress;
        var action = kind is null ? operation : $"{operation} {kind.FullName}";
        switch (failure)
        {
            case HttpOperationException { Response.StatusCode: HttpStatusCode.NotFound } when kind is not null:
                return new(
                    NotServed,
                    $"The API server of cluster \"{cluster}\" does not serve {kind.FullName} in version {kind.Version}; install the "
                        + "CustomResourceDefinition."
                );
            case HttpOperationException { Response.StatusCode: HttpStatusCode.Unauthorized }:
                return new(
                    "unauthorized",
                    $"The API server of cluster \"{cluster}\" rejected the credentials (401); check the token or client "
                        + "certificate of the kubeconfig."
                )
                {
                    IsClusterWide = true,
                };
            case HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } forbidden
                when transport.ExplainForbidden?.Invoke(ApiStatus.MessageOf(forbidden.Response.Content)) is { } explanation:
                return new("forbidden: " + explanation, explanation) { IsClusterWide = true };
            case HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } forbidden:
                return new(
                    "forbidden",
                    $"The API server of cluster \"{cluster}\" forbids {action}; grant it in a Role or ClusterRole "
                        + $"({ApiStatus.MessageOf(forbidden.Response.Content)})."
                );
            case HttpOperationException { Response: { } response }:
                return new(
                    $"status {(int)response.StatusCode}",
                    $"The API server of cluster \"{cluster}\" responded to {action} with {(int)response.StatusCode}: "
                        + $"{ApiStatus.MessageOf(response.Content)}."
                );
            case JsonException:
                return new(
                    "not JSON",
                    $"The response of cluster \"{cluster}\" at {address} to {action} is not the JSON of an API server "
                        + $"({failure.Message}); check the server address."
                )
                {
                    IsClusterWide = true,
                };
        }

        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationException:
                    return new(
                        "tls",
                        $"The certificate of cluster \"{cluster}\" at {address} is not trusted or the TLS handshake failed "
                            + $"({cause.Message}); check certificate-authority-data of the kubeconfig."
                    )
                    {
                        IsClusterWide = true,
                    };
                case SocketException socket:
                    return Unreachable(cluster, address, socket.Message);
            }
        }

        if (failure is HttpRequestException or IOException)
        {
            return Unreachable(cluster, address, failure.Message.TrimEnd('.'));
        }

        return new(failure.GetType().Name, $"Cluster \"{cluster}\" at {address}: {action} failed: {failure.Message}");
    }

    private static ApiError Unreachable(string cluster, Uri address, string why) =>
        new(
            "unreachable",
            $"Cluster \"{cluster}\" cannot be reached at {address}: {why}; check the server address and that the API server is running."
        )
        {
            IsClusterWide = true,
        };
}

/// <summary>
/// Distinguishes an unavailable API server from other errors: no connection, 503, or 429 while its storage initializes. Such requests are
/// retried with a short maximum delay, so that work resumes as soon as the API server is available.
/// </summary>
internal static class ApiOutage
{
    /// <summary>The maximum delay of a retry, before jitter.</summary>
    public static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(2);

    public static bool IsOutage(Exception failure) =>
        failure switch
        {
            HttpOperationException { Response.StatusCode: HttpStatusCode.ServiceUnavailable } => true,
            HttpOperationException { Response: { StatusCode: HttpStatusCode.TooManyRequests } response } => response.Content?.Contains(
                "storage is (re)initializing",
                StringComparison.Ordinal
            ) == true,
            HttpRequestException or IOException => !IsTlsFailure(failure),
            _ => false,
        };

    // A TLS failure, such as an untrusted certificate, requires a change of the configuration.
    private static bool IsTlsFailure(Exception? failure)
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
