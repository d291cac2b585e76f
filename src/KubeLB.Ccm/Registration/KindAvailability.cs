using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Checks, before a reconcile removes anything, that objects missing from the cache of the tenant's cluster were really deleted. They are
/// also missing while their CustomResourceDefinition is missing or being deleted, while the kind was not listed completely, or after the
/// kubeconfig was replaced by that of another cluster. Requests are sent only for the first check of a kind, and after an object of the
/// kind was removed.
/// </summary>
internal sealed class KindAvailability
{
    private static readonly ResourceKind Definitions = new(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions"
    );

    private readonly Cluster _tenant;
    private readonly IInformer<Addresses> _addresses;
    private readonly IInformer<Route>? _routes;
    private readonly TenantSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger<KindAvailability> _logger;
    private readonly Dictionary<Type, KindState> _kinds = [];

    public KindAvailability(
        [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
        [FromKeyedServices(ClusterNames.Management)] Cluster management,
        TenantSettings settings,
        CcmOptions options,
        TimeProvider time,
        ILogger<KindAvailability> logger
    )
    {
        _tenant = tenant;
        _addresses = management.Informer<Addresses>();
        _settings = settings;
        _time = time;
        _logger = logger;
        AddCore<V1Node>();
        if (options.HandlesSecrets)
        {
            AddCore<V1Secret>();
        }

        if (options.EnableGatewayApi)
        {
            _routes = management.Informer<Route>();
            AddCore<V1Service>();
            Add<Gateway>(Gateway.KindName);
            Add<HttpRoute>(HttpRoute.KindName);
            Add<GrpcRoute>(GrpcRoute.KindName);
            Add<ReferenceGrant>(routeKind: null);
        }
    }

    /// <summary>Why missing objects may still exist; null if they were deleted.</summary>
    /// <param name="cancellationToken">Cancels requests to the API server.</param>
    /// <param name="kinds">The kinds that the reconcile depends on.</param>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken, params IEnumerable<Type> kinds)
    {
        foreach (var type in kinds)
        {
            if (await ProblemAsync(_kinds[type], cancellationToken).ConfigureAwait(false) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private async Task<string?> ProblemAsync(KindState kind, CancellationToken cancellationToken)
    {
        if (IsConfirmed(kind))
        {
            return null;
        }

        await kind.Lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Concurrent callers share one check.
            if (!IsConfirmed(kind) && !(kind.Problem is not null && _time.GetElapsedTime(kind.CheckedAt) < Delays.MissingKind))
            {
                var before = kind.Problem;
                kind.Problem = await CheckAsync(kind, cancellationToken).ConfigureAwait(false);
                kind.CheckedAt = _time.GetTimestamp();
                LogChange(kind, before);
            }

            return IsConfirmed(kind) ? null : kind.Problem;
        }
        finally
        {
            kind.Lock.Release();
        }
    }

    private void LogChange(KindState kind, string? before)
    {
        if (before is null && kind.Problem is { } problem)
        {
            Log.RemovalSuspended(_logger, problem);
        }
        else if (before is not null && kind.Problem is null)
        {
            Log.RemovalResumed(_logger, kind.Resource.FullName);
        }
    }

    private static bool IsConfirmed(KindState kind) =>
        kind.Informer.IsComplete && Interlocked.Read(ref kind.Confirmed) == kind.Informer.Removals;

    private async Task<string?> CheckAsync(KindState kind, CancellationToken cancellationToken)
    {
        if (!kind.Informer.IsComplete)
        {
            return IsInUse(kind)
                ? $"Kind {kind.Resource.FullName} is not available in the tenant's cluster, or not listed yet. "
                    + "Objects generated from it are kept."
                : null;
        }

        // Read before the request: an object that is removed during the request needs another check.
        var removals = kind.Informer.Removals;
        if (!kind.IsCore && !await IsServedAsync(kind.Resource, cancellationToken).ConfigureAwait(false))
        {
            return $"CustomResourceDefinition {kind.Resource.FullName} is missing or being deleted. "
                + "Objects generated from it are kept until it is available again.";
        }

        if (
            CcmAnnotations.ClusterUidOf(_addresses.Get(_settings.TenantNamespace, Addresses.DefaultName)) is { } bound
            && await ClusterUidAsync(cancellationToken).ConfigureAwait(false) is var uid
            && uid != bound
        )
        {
            return $"The tenant is bound to cluster {bound}, but this cluster is {uid ?? "unknown"}. "
                + $"Objects generated from {kind.Resource.FullName} are kept.";
        }

        Interlocked.Exchange(ref kind.Confirmed, removals);
        return null;
    }

    private async Task<string?> ClusterUidAsync(CancellationToken cancellationToken) =>
        (
            await _tenant
                .GetMetadataAsync(ResourceKind.Of<V1Namespace>(), new ResourceKey("", ClusterBinding.IdentityNamespace), cancellationToken)
                .ConfigureAwait(false)
        )?.Uid;

    private async Task<bool> IsServedAsync(ResourceKind kind, CancellationToken cancellationToken)
    {
        try
        {
            var definition = await _tenant
                .GetMetadataAsync(Definitions, new ResourceKey("", kind.FullName), cancellationToken)
                .ConfigureAwait(false);
            return definition is { DeletionTimestamp: null };
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Forbidden)
        {
            // Discovery needs no permission; it reports the same information slightly later.
            return await _tenant.IsCreatableAsync(kind, cancellationToken).ConfigureAwait(false);
        }
    }

    // Whether objects may have been generated from the kind: always for core kinds; for kinds with Routes, if such Routes exist; for
    // ReferenceGrants, if one was removed since the last confirmed check.
    private bool IsInUse(KindState kind) =>
        kind.IsCore
        || (
            kind.RouteKind is { } routeKind
                ? _routes!.ByIndex(Indexes.ByOriginKind, routeKind).Count > 0
                : kind.Informer.Removals != Math.Max(0, Interlocked.Read(ref kind.Confirmed))
        );

    private void Add<T>(string? routeKind)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _kinds.Add(typeof(T), new(ResourceKind.Of<T>(), _tenant.Informer<T>(), routeKind));

    private void AddCore<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _kinds.Add(typeof(T), new(ResourceKind.Of<T>(), _tenant.Informer<T>(), routeKind: null) { IsCore = true });

    private sealed class KindState(ResourceKind resource, IInformer informer, string? routeKind)
    {
        /// <summary>Removals from the informer that were confirmed as deletions; -1 before the first check.</summary>
        public long Confirmed = -1;

        /// <summary>Whether the kind is part of Kubernetes, so that it has no CustomResourceDefinition.</summary>
        public bool IsCore { get; init; }

        public string? Problem { get; set; }

        public long CheckedAt { get; set; }

        public ResourceKind Resource => resource;

        public IInformer Informer => informer;

        /// <summary>Kind of the Routes generated from these objects; null if none are.</summary>
        public string? RouteKind => routeKind;

        public SemaphoreSlim Lock { get; } = new(1);
    }
}
