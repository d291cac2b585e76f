using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Probes;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>Whether proxies that look for a manager can be served by this one.</summary>
internal sealed class XdsReadiness(ManagerOptions options, XdsEndpoint endpoint, XdsCertificates certificates) : IReadinessCheck
{
    /// <inheritdoc />
    public string Name => "xds";

    /// <inheritdoc />
    public string? Problem =>
        ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is null ? null
        : endpoint.Address is null ? $"Not listening on {options.ListenAddress} yet."
        : !options.XdsInsecure && certificates.Server is null
            ? $"There is no certificate in Secret {options.Namespace}/{CertificateSecrets.Server} yet; the leading replica creates it."
        : null;
}
