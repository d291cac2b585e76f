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
/// Binds the tenant to its cluster. The UID of the cluster's namespace <c>kube-system</c> is recorded with the tenant's Addresses by the first CCM
/// that finds none there. No other controller of the CCM runs before that, or in any other cluster: there, objects of this one are missing, and
/// would be taken for deleted. There is one key. Writes annotations of Addresses, and the object itself if it does not exist.
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
    ILogger<ClusterBinding> logger) : IReconciler, IReadinessCheck
{
    /// <summary>The namespace whose UID identifies a cluster: every cluster has it, and it cannot be deleted.</summary>
    public const string IdentityNamespace = "kube-system";

    private static readonly string Version = BuildVersion.Of(typeof(ClusterBinding).Assembly);

    // Many CCMs that were started together do not report together.
#pragma warning disable CA5394 // Spreads load; nothing depends on its being unpredictable.
    private readonly TimeSpan _interval = options.ReportInterval * (0.9 + (0.2 * Random.Shared.NextDouble()));
#pragma warning restore CA5394
    private readonly IInformer<V1Namespace> _namespaces = tenant.Informer<V1Namespace>();
    private readonly IInformer<V1Node> _nodes = tenant.Informer<V1Node>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private string? _problem;

    public string Name => "cluster binding";

    /// <summary>Why nothing of this cluster is served; null while it is, or before it is known.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_namespaces.Get("", IdentityNamespace)?.Metadata.Uid is not { Length: > 0 } cluster)
        {
            gate.Close();
            return ReconcileResult.Retry($"Namespace {IdentityNamespace}, whose UID identifies this cluster, was not found; nothing is written without it.");
        }

        if (_addresses.Get(settings.TenantNamespace, Addresses.DefaultName) is not { } addresses)
        {
            var desired = NodeAddresses.Translate(_nodes.List(), nodeSettings, settings.TenantNamespace);
            var (applied, refusal) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
            if (applied is null)
            {
                // Nothing can be created there, so that nothing can be taken for another cluster's: the controllers report why.
                gate.Open();
                return ReconcileResult.RequeueAfter(refusal!.Pause);
            }

            addresses = applied.Object;
        }

        // Read as it stands: a value that is not a UID is not this cluster's either.
        var bound = addresses.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.ClusterUid, out var value) ? value : null;
        return string.IsNullOrEmpty(bound) || bound == cluster
            ? await BindAsync(addresses, cluster, bound, cancellationToken).ConfigureAwait(false)
            : await RejectAsync(addresses, cluster, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReconcileResult> BindAsync(Addresses addresses, string cluster, string? bound, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var age = now - CcmAnnotations.LastSeenOf(addresses);
        if (bound != cluster || age is not { } seen || seen < TimeSpan.Zero || seen >= _interval || CcmAnnotations.CcmVersionOf(addresses) != Version)
        {
            await applier.PatchAnnotationsAsync(
                management,
                addresses,
                new Dictionary<string, string?>
                {
                    [Annotations.ClusterUid] = cluster,
                    [Annotations.LastSeen] = StatusTime.Of(now),
                    [Annotations.CcmVersion] = Version,
                },
                cancellationToken).ConfigureAwait(false);
            age = TimeSpan.Zero;
        }

        Volatile.Write(ref _problem, null);
        if (gate.Open())
        {
            Log.Bound(logger, settings.TenantNamespace, cluster);
        }

        return ReconcileResult.RequeueAfter(_interval - age!.Value);
    }

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
        if (age is not { } seen || seen < TimeSpan.Zero || seen >= _interval)
        {
            await applier.PatchAnnotationsAsync(
                management,
                addresses,
                new Dictionary<string, string?> { [Annotations.RejectedCluster] = new RejectedCluster(cluster, now, Version).Write() },
                cancellationToken).ConfigureAwait(false);
            age = TimeSpan.Zero;
        }

        return ReconcileResult.RequeueAfter(_interval - age!.Value);
    }
}
