using KubeLB.Api.GatewayApi;
using KubeLB.Ccm.Caching;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Secrets;

/// <summary>Finds the Gateways that use a Secret as certificate, by the index of Gateways by Secret.</summary>
internal sealed class CertificateUsers([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, ITenantView view, TenantSettings settings)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Whether a Gateway of another namespace refers to the Secret, which needs a ReferenceGrant.</summary>
    public bool HasCrossNamespaceUser(ResourceKey secret) =>
        _gateways
            .ByIndex(Indexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway => gateway.Namespace != secret.Namespace);

    /// <summary>Whether a listener of a Gateway that KubeLB serves refers to the Secret, and the reference is valid.</summary>
    public bool IsUsed(ResourceKey secret) =>
        _gateways
            .ByIndex(Indexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway =>
                gateway.Metadata.DeletionTimestamp is null
                && settings.CarriesGateways
                && GatewayOwnership.IsOf(gateway, view, settings)
                && ListenerCertificates
                    .Evaluate(gateway, view)
                    .Any(c => c.Refusal is null && c.Namespace == secret.Namespace && c.Name == secret.Name)
            );
}
