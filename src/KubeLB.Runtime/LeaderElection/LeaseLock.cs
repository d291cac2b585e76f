using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>Reads, acquires, renews and releases the Lease. Its requests bypass the write fence.</summary>
internal sealed class LeaseLock(IKubernetes client, LeaderElectionSettings settings, TimeProvider time)
{
    private string? _observedVersion;
    private long _observedAt;

    /// <summary>Reads the Lease; null if it does not exist.</summary>
    public async Task<V1Lease?> ReadAsync(CancellationToken cancellationToken)
    {
        V1Lease lease;
        try
        {
            lease = await client
                .CoordinationV1.ReadNamespacedLeaseAsync(settings.LeaseName, settings.Namespace, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        if (lease.Metadata.ResourceVersion != _observedVersion)
        {
            _observedVersion = lease.Metadata.ResourceVersion;
            _observedAt = time.GetTimestamp();
        }

        return lease;
    }

    /// <summary>
    /// Whether another replica holds the Lease: it is the holder, and its last renewal was observed less than its lease duration ago.
    /// </summary>
    public bool IsHeldByAnother(V1Lease lease)
    {
        var holder = lease.Spec?.HolderIdentity;
        return !string.IsNullOrEmpty(holder)
            && holder != settings.Identity
            && time.GetElapsedTime(_observedAt)
                < (lease.Spec!.LeaseDurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : settings.LeaseDuration);
    }

    /// <summary>Acquires or renews the Lease, if it has not changed since it was read.</summary>
    /// <exception cref="HttpOperationException">409: another replica wrote it first. Otherwise the request was rejected.</exception>
    public async Task AcquireOrRenewAsync(V1Lease? read, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var isOurs = read?.Spec?.HolderIdentity == settings.Identity;
        var transitions = read?.Spec?.LeaseTransitions ?? 0;
        var spec = new V1LeaseSpec
        {
            HolderIdentity = settings.Identity,
            LeaseDurationSeconds = (int)Math.Ceiling(settings.LeaseDuration.TotalSeconds),
            AcquireTime = isOurs ? read!.Spec.AcquireTime : now,
            RenewTime = now,
            LeaseTransitions = isOurs || read is null ? transitions : transitions + 1,
        };
        var lease = read is null
            ? await client
                .CoordinationV1.CreateNamespacedLeaseAsync(
                    new V1Lease
                    {
                        Metadata = new V1ObjectMeta { Name = settings.LeaseName, NamespaceProperty = settings.Namespace },
                        Spec = spec,
                    },
                    settings.Namespace,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false)
            : await ReplaceAsync(read, spec, cancellationToken).ConfigureAwait(false);
        _observedVersion = lease.Metadata.ResourceVersion;
        _observedAt = time.GetTimestamp();
    }

    /// <summary>Releases the Lease if this replica holds it, so that another replica need not wait for its expiry.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (await ReadAsync(cancellationToken).ConfigureAwait(false) is { } lease && lease.Spec?.HolderIdentity == settings.Identity)
        {
            var now = time.GetUtcNow().UtcDateTime;
            var spec = new V1LeaseSpec
            {
                HolderIdentity = "",
                LeaseDurationSeconds = 1,
                AcquireTime = now,
                RenewTime = now,
                LeaseTransitions = lease.Spec.LeaseTransitions,
            };
            await ReplaceAsync(lease, spec, cancellationToken).ConfigureAwait(false);
        }
    }

    // The metadata includes the resourceVersion that was read, so that a concurrent write results in 409.
    private Task<V1Lease> ReplaceAsync(V1Lease read, V1LeaseSpec spec, CancellationToken cancellationToken) =>
        client.CoordinationV1.ReplaceNamespacedLeaseAsync(
            new V1Lease
            {
                ApiVersion = read.ApiVersion,
                Kind = read.Kind,
                Metadata = read.Metadata,
                Spec = spec,
            },
            settings.LeaseName,
            settings.Namespace,
            cancellationToken: cancellationToken
        );
}
