using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Endpoints;

/// <summary>
/// Tells in the status of Addresses, and in an Event and the log, which addresses are not used and why. Owns that status.
/// </summary>
internal sealed class AddressesReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    [FromKeyedServices(ManagementCluster.Name)] EventRecorder events,
    TenantEndpoints endpoints,
    ProxyConfigurations configurations,
    Applier applier,
    TimeProvider time,
    ILogger<AddressesReconciler> logger
) : IReconciler
{
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_addresses.Get(key) is not { Metadata.DeletionTimestamp: null } addresses)
        {
            return ReconcileResult.Done;
        }

        var isDefault = key.Name == Addresses.DefaultName;
        if (isDefault)
        {
            // After a start they may not have been built yet.
            configurations.RefreshTenant(key.Namespace);
        }

        var verdicts = isDefault ? endpoints.VerdictsOf(key.Namespace) : [];
        var excess = isDefault ? configurations.ExcessOf(key.Namespace) : null;
        var status = AddressesStatusBuilder.Build(addresses, verdicts, excess, StatusTime.Of(time.GetUtcNow()));
        await applier.ApplyStatusAsync(management, addresses, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        Tell(addresses, status);
        return ReconcileResult.Done;
    }

    // The status remembers what was told before.
    private void Tell(Addresses before, AddressesStatus now)
    {
        if (Refusal(now) is { } refusal && refusal.Message != Refusal(before.Status)?.Message)
        {
            events.Record(before, EventType.Warning, refusal.Reason, refusal.Message);
            Log.Refused(logger, ResourceKey.Of(before), refusal.Message);
            if (refusal.Reason == AddressesConditions.EndpointLimitExceeded && _tenants.HolderOf(before.Namespace) is { } tenant)
            {
                // The administrator looks there.
                events.Record(tenant, EventType.Warning, refusal.Reason, refusal.Message);
            }
        }
    }

    private static Condition? Refusal(AddressesStatus? status) =>
        status?.Conditions?.FirstOrDefault(c => c.Type == AddressesConditions.Accepted && !c.IsTrue);
}
