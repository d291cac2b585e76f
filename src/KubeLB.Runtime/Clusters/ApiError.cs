using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using k8s.Autorest;

namespace KubeLB.Runtime.Clusters;

/// <summary>A failed request, told in one sentence that says what to do.</summary>
/// <param name="Category">Equal for failures of the same sort, so that each sort is logged once and not at every attempt.</param>
/// <param name="Sentence">For people.</param>
internal sealed record ApiError(string Category, string Sentence)
{
    /// <summary>Category: the kind is not installed.</summary>
    public const string NotServed = "not served";

    /// <summary>Whether it is the same for every kind of the cluster, so that it need not be told for each.</summary>
    public bool IsOfCluster { get; private init; }

    public static ApiError Of(Exception failure, string cluster, Uri address, ResourceKind? kind, string doing)
    {
        var what = kind is null ? "" : $" {kind.FullName}";
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
                    $"The API server of cluster \"{cluster}\" does not accept our credentials (401); check the token or client "
                        + "certificate of the kubeconfig."
                )
                {
                    IsOfCluster = true,
                };
            case HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } refusal:
                return new(
                    "forbidden",
                    $"The API server of cluster \"{cluster}\" forbids {doing}{what}; grant it in a Role or ClusterRole "
                        + $"({StatusMessage.Of(refusal.Response.Content)})."
                );
            case HttpOperationException { Response: { } response }:
                return new(
                    $"status {(int)response.StatusCode}",
                    $"The API server of cluster \"{cluster}\" answered {doing}{what} with {(int)response.StatusCode}: "
                        + $"{StatusMessage.Of(response.Content)}."
                );
            case JsonException:
                return new(
                    "not JSON",
                    $"The answer of cluster \"{cluster}\" at {address} to {doing}{what} is not the JSON of an API server "
                        + $"({failure.Message}); check the server address."
                )
                {
                    IsOfCluster = true,
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
                        IsOfCluster = true,
                    };
                case SocketException socket:
                    return Unreachable(cluster, address, socket.Message);
            }
        }

        if (failure is HttpRequestException or IOException)
        {
            return Unreachable(cluster, address, failure.Message.TrimEnd('.'));
        }

        return new(failure.GetType().Name, $"Cluster \"{cluster}\" at {address} failed at {doing}{what}: {failure.Message}");
    }

    private static ApiError Unreachable(string cluster, Uri address, string why) =>
        new(
            "unreachable",
            $"Cluster \"{cluster}\" cannot be reached at {address}: {why}; check that the API server runs and the address is right."
        )
        {
            IsOfCluster = true,
        };
}
