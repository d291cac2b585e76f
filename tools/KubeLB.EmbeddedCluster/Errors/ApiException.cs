namespace KubeLB.EmbeddedCluster.Errors;

/// <summary>Ends a request with an error Status.</summary>
internal sealed class ApiException(ApiStatus status) : Exception(status.Message)
{
    public ApiStatus Status { get; } = status;
}
