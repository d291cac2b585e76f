using Grpc.Core;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Tenants;
using KubeLB.Xds.Discovery;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>Authorizes a proxy for the configuration of the tenant that its certificate identifies.</summary>
internal sealed class CertificateAuthorizer(XdsCertificates certificates, TenantSettingsResolver tenants) : IXdsAuthorizer
{
    /// <inheritdoc/>
    public ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call)
    {
        var certificate = call.GetHttpContext().Connection.ClientCertificate;
        var identity = certificate is null ? null : certificates.IdentityOf(certificate);
        return ValueTask.FromResult(
            identity switch
            {
                null => new XdsDenial(
                    $"The client certificate was not issued by this control plane. Mount the current Secret {CertificateSecrets.Client}."
                ),
                _ when identity.TenantNamespace != node => new XdsDenial(
                    $"The client certificate is for node id {identity.TenantNamespace}.",
                    identity.TenantNamespace
                ),
                _ when identity.TenantUid != tenants.TenantOf(node)?.Metadata.Uid => new XdsDenial(
                    $"The client certificate is for a deleted Tenant of node id {node}. Mount the current Secret "
                        + $"{CertificateSecrets.Client}.",
                    identity.TenantNamespace
                ),
                _ => (XdsDenial?)null,
            }
        );
    }

    /// <inheritdoc/>
    public ValueTask<string?> AuthorizeReplicaAsync(ServerCallContext call) =>
        ValueTask.FromResult(
            call.GetHttpContext().Connection.ClientCertificate is { } certificate && certificates.IsReplica(certificate)
                ? null
                : "Only replicas of the manager may send this request."
        );
}
