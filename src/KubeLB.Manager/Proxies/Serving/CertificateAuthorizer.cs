using Grpc.Core;
using KubeLB.Manager.Certificates;
using KubeLB.Xds.Discovery;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>A proxy may have the configuration of the tenant that its certificate names, and no other.</summary>
internal sealed class CertificateAuthorizer(XdsCertificates certificates) : IXdsAuthorizer
{
    /// <inheritdoc/>
    public ValueTask<XdsRefusal?> RefuseAsync(string node, ServerCallContext call)
    {
        var certificate = call.GetHttpContext().Connection.ClientCertificate;
        var tenant = certificate is null ? null : certificates.TenantOf(certificate);
        return ValueTask.FromResult(tenant == node
            ? null
            : tenant is null
                ? new XdsRefusal("The client certificate is not one of this control plane's; mount the present Secret " + CertificateSecrets.Client + ".")
                : new XdsRefusal($"The client certificate is for node id {tenant}.", tenant));
    }
}
