using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Binds the tenant to its cluster: the first CCM records the UID of its cluster's namespace <c>kube-system</c> in an annotation of the
/// tenant's Addresses. The other controllers run only after that, and only in that cluster: another cluster lacks the tenant's objects, so
/// their Routes would be deleted. There is one key. Writes annotations of Addresses, and creates Addresses if missing.
/// </summary>
internal sealed class ClusterBinding(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    LeadershipGate gate,
    TenantRegistration registration,
    Applier applier,
    TenantSettings settings,
    NodeAddressSettings nodeSettings,
    CcmOptions options,
    TimeProvider time,
    ILogger<ClusterBinding> logger
) : IReconciler, IReadinessCheck
{
    /// <summary>The namespace whose UID identifies a cluster: every cluster has it, and it cannot be deleted.</summary>
    public const string IdentityNamespace = "kube-system";

    private static readonly string Version = BuildVersion.FromAssembly(typeof(ClusterBinding).Assembly).Version;

    // Jitter spreads the reports of CCMs that started together.
#pragma warning disable CA5394 // Not used for security.
    private readonly TimeSpan _interval = options.ReportInterval * (0.9 + (0.2 * Random.Shared.NextDouble()));
#pragma warning restore CA5394
    private readonly IInformer<V1Namespace> _namespaces = tenant.Informer<V1Namespace>();
    private readonly IInformer<V1Node> _nodes = tenant.Informer<V1Node>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Route>? _routes = options.EnableGatewayApi ? management.Informer<Route>() : null;
    private string? _problem;
    private long? _claimableSince;
    private long? _reportedBinding;
    private long? _reportedRejection;
    private string? _reportedToken;

    public string Name => "cluster binding";

    /// <summary>Why this cluster is rejected; null if it is accepted, or before the first reconcile.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_namespaces.Get("", IdentityNamespace)?.Metadata.Uid is not { Length: > 0 } cluster)
        {
            gate.Close();
            return ReconcileResult.Retry(
                $"Namespace {IdentityNamespace}, whose UID identifies this cluster, was not found. The CCM writes nothing until it exists."
            );
        }

        var addresses = _addresses.Get(settings.TenantNamespace, Addresses.DefaultName);
        if (ClaimDelay(addresses) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        if (addresses is null)
        {
            var desired = NodeAddresses.Translate(_nodes.List(), nodeSettings, settings.TenantNamespace);
            var (applied, rejection) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
            if (applied is null)
            {
                // No object exists that could belong to another cluster, so the controllers may run and report the rejection.
                if (Problem is null && _routes?.List().Count is null or 0)
                {
                    gate.Open();
                }

                return ReconcileResult.RequeueAfter(rejection!.RequeueAfter);
            }

            addresses = applied.Object;
        }

        // An invalid value is treated as the UID of another cluster.
        var bound = CcmAnnotations.ValueOf(addresses, Annotations.ClusterUid);
        return string.IsNullOrEmpty(bound) || bound == cluster
            ? await BindAsync(addresses, cluster, bound, cancellationToken).ConfigureAwait(false)
            : await RejectAsync(addresses, cluster, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReconcileResult> BindAsync(Addresses addresses, string cluster, string? bound, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var age = now - CcmAnnotations.LastSeenOf(addresses);
        var isDue = age is not { } seen || seen < TimeSpan.Zero || seen >= _interval || CcmAnnotations.CcmVersionOf(addresses) != Version;
        var token = management.TokenSecretInUse;
        var isNewToken = token != _reportedToken && token != CcmAnnotations.CcmTokenOf(addresses);
        if (bound != cluster || isNewToken || (isDue && !IsRecent(_reportedBinding)))
        {
            _reportedBinding = time.GetTimestamp();
            await applier
                .PatchAnnotationsAsync(
                    management,
                    addresses,
                    new Dictionary<string, string?>
                    {
                        [Annotations.ClusterUid] = cluster,
                        [Annotations.LastSeen] = StatusTime.Of(now),
                        [Annotations.CcmVersion] = Version,
                        [Annotations.CcmToken] = token,
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
            _reportedToken = token;
            age = TimeSpan.Zero;
        }

        Volatile.Write(ref _problem, null);
        if (gate.Open())
        {
            Log.ClusterBound(logger, settings.TenantNamespace, cluster);
        }

        return ReconcileResult.RequeueAfter(UntilNextReport(age));
    }

    // How long a rejected CCM waits before it claims the tenant; null if it need not wait. Meanwhile, a running CCM of the bound cluster
    // records its cluster again.
    private TimeSpan? ClaimDelay(Addresses? addresses)
    {
        if (Problem is null || (addresses is not null && !string.IsNullOrEmpty(CcmAnnotations.ValueOf(addresses, Annotations.ClusterUid))))
        {
            _claimableSince = null;
            return null;
        }

        _claimableSince ??= time.GetTimestamp();
        var left = (addresses is null ? 2 * options.ReportInterval : Delays.Claim) - time.GetElapsedTime(_claimableSince.Value);
        return left > TimeSpan.Zero ? left : null;
    }

    // Uses the local monotonic clock: the annotations may be changed by others or come from another clock.
    private bool IsRecent(long? reported) => reported is { } at && time.GetElapsedTime(at) < _interval;

    private TimeSpan UntilNextReport(TimeSpan? age) =>
        age is { } passed && passed >= TimeSpan.Zero && passed < _interval ? _interval - passed : _interval;

    private async Task<ReconcileResult> RejectAsync(Addresses addresses, string cluster, CancellationToken cancellationToken)
    {
        gate.Close();
        var bound = CcmAnnotations.ClusterUidOf(addresses) ?? "(invalid UID)";
        var problem =
            $"{settings.TenantNamespace} is bound to cluster {bound}, but this cluster is {cluster}; the CCM writes nothing. "
            + $"Correct --kubeconfig or --cluster-name, or change annotation {Annotations.ClusterUid} of its Addresses.";
        if (Interlocked.Exchange(ref _problem, problem) != problem)
        {
            Log.ClusterRejected(logger, problem);
        }

        // A recent report of another rejected cluster is kept, so that two rejected CCMs do not overwrite each other's reports.
        var now = time.GetUtcNow();
        var reported = CcmAnnotations.RejectedClusterOf(addresses);
        var age = now - reported?.Time;
        if ((age is not { } seen || seen < TimeSpan.Zero || seen >= _interval) && !IsRecent(_reportedRejection))
        {
            _reportedRejection = time.GetTimestamp();
            await applier
                .PatchAnnotationsAsync(
                    management,
                    addresses,
                    new Dictionary<string, string?> { [Annotations.RejectedCluster] = new RejectedCluster(cluster, now, Version).Write() },
                    cancellationToken
                )
                .ConfigureAwait(false);
            age = TimeSpan.Zero;
        }

        return ReconcileResult.RequeueAfter(UntilNextReport(age));
    }
}
