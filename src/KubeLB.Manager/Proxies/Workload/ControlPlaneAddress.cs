using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Probes;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>Where pods reach this manager's xDS server.</summary>
internal static class ControlPlaneAddress
{
    private const int UsualPort = 8001;

    /// <summary>
    /// Service <c>envoycp</c> in the manager's namespace, with the port that the manager listens on; null if it serves no xDS.
    /// </summary>
    public static ControlPlane? Of(ManagerOptions options) =>
        ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is { } address
            ? new ControlPlane(
                CertificateSecrets.ServiceName(options.Namespace),
                address.Port == 0 ? UsualPort : address.Port,
                options.XdsInsecure
            )
            : null;
}
