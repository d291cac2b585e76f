using KubeLB.Translation.Status;

namespace KubeLB.Manager.Proxies.Acknowledgements;

/// <summary>Whether a route may refer to a backend now.</summary>
/// <param name="Left">How long to wait at most; null if there is nothing to wait for.</param>
/// <param name="Rejection">What a proxy has rejected of the backend's configuration; null if nothing.</param>
internal readonly record struct BackendAcknowledgement(TimeSpan? Left, ProxyRejection? Rejection)
{
    /// <summary>The route may be written.</summary>
    public static BackendAcknowledgement Ready { get; } = new(null, null);

    /// <summary>A proxy has not acknowledged the backend yet.</summary>
    public static BackendAcknowledgement Waiting(TimeSpan left) => new(left, null);

    /// <summary>A proxy has rejected the backend's configuration.</summary>
    public static BackendAcknowledgement Rejected(ProxyRejection rejection) => new(null, rejection);
}
