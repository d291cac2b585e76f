using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Routing;

/// <summary>Sets condition Accepted on the GatewayClasses of KubeLB's controller; others are never written.</summary>
internal sealed class GatewayClassReconciler([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, Applier applier, TimeProvider time)
    : IReconciler
{
    private readonly IInformer<GatewayClass> _classes = tenant.Informer<GatewayClass>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (
            _classes.Get(key) is { } gatewayClass
            && gatewayClass.Metadata.DeletionTimestamp is null
            && GatewayOwnership.IsOursByController(gatewayClass)
        )
        {
            var status = ApiJson.ToJson(GatewayClassStatusTranslator.Translate(gatewayClass, StatusTime.Of(time.GetUtcNow())));
            await applier.PatchStatusAsync(tenant, gatewayClass, status, guarded: true, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}
