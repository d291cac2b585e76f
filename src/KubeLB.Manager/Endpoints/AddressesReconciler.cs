using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Endpoints;

/// <summary>
/// Reports rejected addresses in the status of Addresses, an Event and the log, and addresses that two tenants list in Events on the
/// Tenants.
/// </summary>
internal sealed class AddressesReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    [FromKeyedServices(ManagementCluster.Name)] EventRecorder events,
    TenantEndpoints endpoints,
    ProxyConfigurations configurations,
    TenantStatusWriter statuses,
    TimeProvider time,
    ILogger<AddressesReconciler> logger
) : IReconciler
{
    private const int MaxOverlaps = 10;

    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly ConcurrentDictionary<string, HashSet<string>> _overlaps = new(StringComparer.Ordinal);
    private readonly DelayTracker _empty = new(time);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_addresses.Get(key) is not { Metadata.DeletionTimestamp: null } addresses)
        {
            _overlaps.TryRemove(key.Namespace, out _);
            statuses.Forget<Addresses>(key);
            _empty.End(key);
            return ReconcileResult.Done;
        }

        var isDefault = key.Name == Addresses.DefaultName;
        if (isDefault)
        {
            // After a start the configuration may not have been built yet.
            configurations.RefreshTenant(key.Namespace);
        }

        var verdicts = isDefault ? endpoints.VerdictsOf(key.Namespace) : [];
        var excess = isDefault ? configurations.ExcessOf(key.Namespace) : null;
        var status = AddressesStatusBuilder.Build(addresses, verdicts, excess, StatusTime.Of(time.GetUtcNow()));
        if (EmptyDelay(key, addresses, status) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        var (written, delay) = await statuses.WriteAsync(addresses, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        if (written is null)
        {
            return ReconcileResult.RequeueAfter(delay!.Value);
        }

        RecordRejection(addresses, status);
        if (isDefault)
        {
            RecordOverlap(key.Namespace, endpoints.EndpointsOf(key.Namespace));
        }

        return ReconcileResult.Done;
    }

    // Only to administrators: a tenant does not learn of others. It rejects nothing, because anyone can list the nodes of others.
    private void RecordOverlap(string tenantNamespace, IReadOnlyList<string> used)
    {
        var others = used.SelectMany(address =>
                _addresses
                    .ByIndex(Indexes.ByNodeAddress, address.TrimEnd('.'))
                    .Where(other => other.Namespace != tenantNamespace)
                    .Select(other => (other.Namespace, Address: address.TrimEnd('.')))
            )
            .GroupBy(other => other.Namespace, other => other.Address, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Take(MaxOverlaps)
            .ToDictionary(group => group.Key, group => (Address: group.First(), Count: group.Count()), StringComparer.Ordinal);
        bool IsReportedBy(string other) => _overlaps.GetValueOrDefault(other)?.Contains(tenantNamespace) == true;
        var reported = _overlaps.GetValueOrDefault(tenantNamespace) ?? [];
        _overlaps[tenantNamespace] = [.. others.Keys];
        foreach (var (other, (address, count)) in others.Where(o => !reported.Contains(o.Key) && !IsReportedBy(o.Key)))
        {
            if (_tenants.HolderOf(tenantNamespace) is { } tenant && _tenants.HolderOf(other) is { } otherTenant)
            {
                Log.AddressesOverlap(logger, tenant.Name, otherTenant.Name, Messages.AddressesOverlap(address, count, otherTenant.Name));
                Record(tenant, otherTenant);
                Record(otherTenant, tenant);
            }

            void Record(Tenant on, Tenant with) =>
                events.Record(on, EventType.Warning, TenantReasons.AddressesOverlap, Messages.AddressesOverlap(address, count, with.Name));
        }
    }

    // The CCM creates the object before it has read the nodes, and nodes can be replaced one after the other.
    private TimeSpan? EmptyDelay(ResourceKey key, Addresses before, AddressesStatus now)
    {
        if (
            RejectionIn(now) is { Reason: AddressesConditions.NoAddresses }
            && RejectionIn(before.Status)?.Reason != AddressesConditions.NoAddresses
        )
        {
            return _empty.Left(key, AddressesConditions.NoAddresses, Delays.NoAddresses);
        }

        _empty.End(key);
        return null;
    }

    // The previous status shows whether the rejection is new.
    private void RecordRejection(Addresses before, AddressesStatus now)
    {
        if (RejectionIn(now) is { } rejection && rejection.Message != RejectionIn(before.Status)?.Message)
        {
            events.Record(before, EventType.Warning, rejection.Reason, rejection.Message);
            Log.AddressesRejected(logger, ResourceKey.Of(before), rejection.Message);
            if (
                rejection.Reason is AddressesConditions.EndpointLimitExceeded or AddressesConditions.NoAddresses
                && _tenants.HolderOf(before.Namespace) is { } tenant
            )
            {
                // Administrators read the Events of Tenants.
                events.Record(tenant, EventType.Warning, rejection.Reason, rejection.Message);
            }
        }
        else if (
            RejectionIn(before.Status) is { Reason: AddressesConditions.NoAddresses }
            && RejectionIn(now)?.Reason != AddressesConditions.NoAddresses
        )
        {
            events.Record(before, EventType.Normal, AddressesConditions.Accepted, Messages.AddressesRecovered);
            if (_tenants.HolderOf(before.Namespace) is { } tenant)
            {
                events.Record(tenant, EventType.Normal, AddressesConditions.Accepted, Messages.AddressesRecovered);
            }
        }
    }

    private static Condition? RejectionIn(AddressesStatus? status) =>
        status?.Conditions?.FirstOrDefault(c => c.Type == AddressesConditions.Accepted && !c.IsTrue);
}
