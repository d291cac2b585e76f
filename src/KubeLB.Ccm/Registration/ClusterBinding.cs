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
using KubeLB.Translation.Nodes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Binds the tenant to its cluster. The UID of the cluster's namespace <c>kube-system</c> is recorded with the tenant's Addresses by the
/// first CCM that finds none there. No other controller of the CCM runs before that, or in any other cluster: there, objects of this one
/// are missing, and would be taken for deleted. There is one key. Writes annotations of Addresses, and the object itself if it does not
/// exist.
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

    // Many CCMs that were started together do not report together.
#pragma warning disable CA5394 // Spreads load; nothing depends on its being unpredictable.
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

    public string Name => "cluster binding";

    /// <summary>Why nothing of this cluster is served; null while it is, or before it is known.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_namespaces.Get("", IdentityNamespace)?.Metadata.Uid is not { Length: > 0 } cluster)
        {
            gate.Close();
            return ReconcileResult.Retry(
                $"Namespace {IdentityNamespace}, whose UID identifies this cluster, was not found; nothing is written without it."
            );
        }

        var addresses = _addresses.Get(settings.TenantNamespace, Addresses.DefaultName);
        if (TimeLeftToOthers(addresses) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        if (addresses is null)
        {
            var desired = NodeAddresses.Translate(_nodes.List(), nodeSettings, settings.TenantNamespace);
            var (applied, refusal) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
            if (applied is null)
            {
                // With nothing there, and nothing that can be created, nothing can be taken for another cluster's: the controllers report
                // why.
                if (Problem is null && _routes?.List().Count is null or 0)
                {
                    gate.Open();
                }

                return ReconcileResult.RequeueAfter(refusal!.Pause);
            }

            addresses = applied.Object;
        }

        // Read as it stands: a value that is not a UID is not this cluster's either.
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
        if (bound != cluster || (isDue && !IsRecent(_reportedBinding)))
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
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
            age = TimeSpan.Zero;
        }

        Volatile.Write(ref _problem, null);
        if (gate.Open())
        {
            Log.Bound(logger, settings.TenantNamespace, cluster);
        }

        return ReconcileResult.RequeueAfter(Next(age));
    }

    // The CCM of the cluster that the tenant is bound to records it again at once, if it runs.
    private TimeSpan? TimeLeftToOthers(Addresses? addresses)
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

    // By the own clock: neither other clocks nor a writer that removes or changes the annotations make two writes within the interval.
    private bool IsRecent(long? reported) => reported is { } at && time.GetElapsedTime(at) < _interval;

    private TimeSpan Next(TimeSpan? age) =>
        age is { } passed && passed >= TimeSpan.Zero && passed < _interval ? _interval - passed : _interval;

    private async Task<ReconcileResult> RejectAsync(Addresses addresses, string cluster, CancellationToken cancellationToken)
    {
        gate.Close();
        var problem =
            $"This cluster ({cluster}) is not the one that {settings.TenantNamespace} is bound to ({CcmAnnotations.ClusterUidOf(addresses) ?? "invalid"}): nothing is written. "
            + $"Correct --kubeconfig or --cluster-name, or set {Annotations.ClusterUid} on its Addresses.";
        if (Interlocked.Exchange(ref _problem, problem) != problem)
        {
            Log.Rejected(logger, problem);
        }

        // Another cluster's that is as wrong stays until it is old: two of them must not take turns.
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

        return ReconcileResult.RequeueAfter(Next(age));
    }
}
