using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.NodePorts;

/// <summary>
/// Writes the tenant's Addresses object <c>default</c> from its Nodes. There is one key for all Nodes. Changes within one second are
/// written together.
/// </summary>
internal sealed class NodeAddressesReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    KindAvailability kinds,
    TenantSettings settings,
    NodeAddressSettings nodeSettings,
    TimeProvider time,
    ILogger<NodeAddressesReconciler> logger
) : IReconciler
{
    /// <summary>Time during which changes are collected before one write.</summary>
    internal static readonly TimeSpan BatchInterval = TimeSpan.FromSeconds(1);

    private readonly IInformer<V1Node> _nodes = tenant.Informer<V1Node>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();

    // Not synchronized: the controller has one key, so only one reconcile runs at a time.
    private long? _changedSince;
    private bool _isEmpty;

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (await kinds.ProblemAsync(cancellationToken, typeof(V1Node)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        var desired = NodeAddresses.Translate(_nodes.List(), nodeSettings, settings.TenantNamespace);
        LogNoAddresses(desired);
        if (BatchDelay(desired) is { } delay)
        {
            return ReconcileResult.RequeueAfter(delay);
        }

        var (_, rejection) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
        _changedSince = null;
        return rejection is null ? ReconcileResult.Done : ReconcileResult.RequeueAfter(rejection.RequeueAfter);
    }

    // How long to wait for further changes; null to write now. The first addresses are written immediately.
    private TimeSpan? BatchDelay(Addresses desired)
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
        var left = BatchInterval - time.GetElapsedTime(_changedSince.Value);
        return left > TimeSpan.Zero ? left : null;
    }

    private void LogNoAddresses(Addresses desired)
    {
        var isEmpty = desired.Spec?.Addresses is not { Count: > 0 };
        if (isEmpty && !_isEmpty)
        {
            Log.NoNodeAddresses(logger, nodeSettings.AddressType);
        }
        else if (!isEmpty && _isEmpty)
        {
            Log.NodeAddressesFound(logger, desired.Spec!.Addresses!.Count, nodeSettings.AddressType);
        }

        _isEmpty = isEmpty;
    }

    private static string Text(EndpointAddress address) => address.Ip ?? address.Hostname ?? "";
}
