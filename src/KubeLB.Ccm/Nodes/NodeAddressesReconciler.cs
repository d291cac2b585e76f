using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using k8s.Models;

namespace KubeLB.Ccm.Nodes;

/// <summary>
/// Writes the Addresses object <c>default</c> of the tenant from its Nodes. There is one key for all of them. What changes within a
/// second is written at once.
/// </summary>
internal sealed class NodeAddressesReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    SourceKinds kinds,
    TenantSettings settings,
    NodeAddressSettings nodeSettings,
    TimeProvider time,
    ILogger<NodeAddressesReconciler> logger
) : IReconciler
{
    /// <summary>For how long changes are gathered before they are written.</summary>
    internal static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);

    private readonly IInformer<V1Node> _nodes = tenant.Informer<V1Node>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();

    // One key, hence one reconcile at a time.
    private long? _changedSince;
    private bool _isEmpty;

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (await kinds.ProblemAsync(cancellationToken, typeof(V1Node)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        var desired = NodeAddresses.Translate(_nodes.List(), nodeSettings, settings.TenantNamespace);
        ReportNoAddresses(desired);
        if (Pause(desired) is { } pause)
        {
            return ReconcileResult.RequeueAfter(pause);
        }

        var (_, refusal) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
        _changedSince = null;
        return refusal is null ? ReconcileResult.Done : ReconcileResult.RequeueAfter(refusal.Pause);
    }

    /// <returns>How long to wait for further changes; null to write now: the first addresses, or those that have waited.</returns>
    private TimeSpan? Pause(Addresses desired)
    {
        if (
            _addresses.Get(settings.TenantNamespace, Addresses.DefaultName)?.Spec?.Addresses is not { Count: > 0 } written
            || written.Select(Text).SequenceEqual((desired.Spec?.Addresses ?? []).Select(Text))
        )
        {
            _changedSince = null;
            return null;
        }

        _changedSince ??= time.GetTimestamp();
        var left = Gathering - time.GetElapsedTime(_changedSince.Value);
        return left > TimeSpan.Zero ? left : null;
    }

    private void ReportNoAddresses(Addresses desired)
    {
        var isEmpty = desired.Spec?.Addresses is not { Count: > 0 };
        if (isEmpty && !_isEmpty)
        {
            Log.NoAddresses(logger, nodeSettings.AddressType);
        }

        _isEmpty = isEmpty;
    }

    private static string Text(EndpointAddress address) => address.Ip ?? address.Hostname ?? "";
}
