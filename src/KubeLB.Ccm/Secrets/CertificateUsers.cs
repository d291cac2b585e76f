using KubeLB.Api.GatewayApi;
using KubeLB.Ccm.Caching;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Secrets;

/// <summary>
/// Whether a Gateway of ours uses a Secret. Counted through the index of Gateways by Secret, so that the count is right after a restart
/// and across namespaces.
/// </summary>
internal sealed class CertificateUsers([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, ITenantView view, TenantSettings settings)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Whether a Gateway of another namespace refers to the Secret: then grants decide whether it may.</summary>
    public bool IsReferredToFromElsewhere(ResourceKey secret) =>
        _gateways
            .ByIndex(ReferenceIndexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway => gateway.Namespace != secret.Namespace);

    /// <summary>Whether a listener uses the Secret, may use it, and can.</summary>
    public bool Use(ResourceKey secret) =>
        _gateways
            .ByIndex(ReferenceIndexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway =>
                gateway.Metadata.DeletionTimestamp is null
                && settings.IsGatewayControllerEnabled
                && GatewayOwnership.Owns(gateway, view, settings)
                && ListenerCertificates
                    .Evaluate(gateway, view)
                    .Any(c => c.Rejection is null && c.Namespace == secret.Namespace && c.Name == secret.Name)
            );
}
