using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>The Lease as this replica sees it. Its requests pass the fence, which they open.</summary>
internal sealed class LeaseClaim(IKubernetes client, LeaderElectionSettings settings, TimeProvider time)
{
    private string? _observedVersion;
    private long _observedAt;

    /// <summary>Reads the Lease; null if there is none yet.</summary>
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
    /// Whether another replica has the Lease: it is named, and it renewed within the duration that it asked for, by our own clock.
    /// </summary>
    public bool IsAnothers(V1Lease lease)
    {
        var holder = lease.Spec?.HolderIdentity;
        return !string.IsNullOrEmpty(holder)
            && holder != settings.Identity
            && time.GetElapsedTime(_observedAt)
                < (lease.Spec!.LeaseDurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : settings.LeaseDuration);
    }

    /// <summary>Takes or renews the Lease, if it is still as it was read.</summary>
    /// <exception cref="HttpOperationException">409: another replica was faster. Anything else: it is refused.</exception>
    public async Task TakeAsync(V1Lease? read, CancellationToken cancellationToken)
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

    /// <summary>Gives up the Lease if it is ours, so that another replica need not wait for it to run out.</summary>
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

    // The resource version that was read goes along: whoever was faster wins.
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
