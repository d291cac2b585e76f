using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Caching;

/// <summary>
/// Tells an object that was deleted from one that is missing for another reason. An API server deletes all objects of a
/// CustomResourceDefinition that is deleted, and afterwards knows none; and a kubeconfig that is replaced may lead to another cluster.
/// While a kind is not served, is being deleted, was not listed completely, or the cluster is not the one that the tenant is bound to, what
/// is missing is not taken for deleted. Asked before each reconcile that may remove something; requests are sent only if an object of the
/// kind has been removed since the last answer.
/// </summary>
internal sealed class SourceKinds
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
    private readonly ILogger<SourceKinds> _logger;
    private readonly Dictionary<Type, Kind> _kinds = [];

    public SourceKinds(
        [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
        [FromKeyedServices(ClusterNames.Management)] Cluster management,
        TenantSettings settings,
        CcmOptions options,
        TimeProvider time,
        ILogger<SourceKinds> logger
    )
    {
        _tenant = tenant;
        _addresses = management.Informer<Addresses>();
        _settings = settings;
        _time = time;
        _logger = logger;
        AddCore<V1Node>();
        if (ReferenceControllers.CarriesSecrets(options))
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
            Add<ReferenceGrant>(carried: null);
        }
    }

    /// <summary>Why objects that are missing may exist all the same; null if what is missing was deleted.</summary>
    /// <param name="cancellationToken">Gives up waiting for the API server.</param>
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

    private async Task<string?> ProblemAsync(Kind kind, CancellationToken cancellationToken)
    {
        if (IsConfirmed(kind))
        {
            return null;
        }

        await kind.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // One question for all that wait for the answer.
            if (!IsConfirmed(kind) && !(kind.Problem is not null && _time.GetElapsedTime(kind.AskedAt) < Delays.MissingKind))
            {
                var before = kind.Problem;
                kind.Problem = await AskAsync(kind, cancellationToken).ConfigureAwait(false);
                kind.AskedAt = _time.GetTimestamp();
                Report(kind, before);
            }

            return IsConfirmed(kind) ? null : kind.Problem;
        }
        finally
        {
            kind.Gate.Release();
        }
    }

    private void Report(Kind kind, string? before)
    {
        if (before is null && kind.Problem is { } problem)
        {
            Log.Held(_logger, problem);
        }
        else if (before is not null && kind.Problem is null)
        {
            Log.NoLongerHeld(_logger, kind.Resource.FullName);
        }
    }

    private static bool IsConfirmed(Kind kind) =>
        kind.Informer.IsComplete && Interlocked.Read(ref kind.Confirmed) == kind.Informer.Removals;

    private async Task<string?> AskAsync(Kind kind, CancellationToken cancellationToken)
    {
        if (!kind.Informer.IsComplete)
        {
            return IsInUse(kind)
                ? $"Kind {kind.Resource.FullName} is not served by the tenant's cluster, or not listed yet; what was made of its "
                    + "objects stays."
                : null;
        }

        // Counted before the question: an object that goes while it is asked needs another answer.
        var removals = kind.Informer.Removals;
        if (!kind.IsCore && !await IsServedAsync(kind.Resource, cancellationToken).ConfigureAwait(false))
        {
            return $"CustomResourceDefinition {kind.Resource.FullName} is missing or being deleted; what was made of its objects stays "
                + "until it is served again.";
        }

        if (
            CcmAnnotations.ClusterUidOf(_addresses.Get(_settings.TenantNamespace, Addresses.DefaultName)) is { } bound
            && await UidOfClusterAsync(cancellationToken).ConfigureAwait(false) is var uid
            && uid != bound
        )
        {
            return $"This cluster ({uid ?? "unknown"}) is not the one that the tenant is bound to ({bound}); what was made of {kind.Resource.FullName} stays.";
        }

        Interlocked.Exchange(ref kind.Confirmed, removals);
        return null;
    }

    private async Task<string?> UidOfClusterAsync(CancellationToken cancellationToken) =>
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
            // Discovery needs no permission. It tells the same, a moment later.
            return await _tenant.IsCreatableAsync(kind, cancellationToken).ConfigureAwait(false);
        }
    }

    // A kind that was never served and of which nothing is served in the management cluster has nothing to lose; nor have grants, unless
    // some were there.
    private bool IsInUse(Kind kind) =>
        kind.IsCore
        || (
            kind.Carried is { } carried
                ? _routes!.ByIndex(Indexes.ByOriginKind, carried).Count > 0
                : kind.Informer.Removals != Math.Max(0, Interlocked.Read(ref kind.Confirmed))
        );

    private void Add<T>(string? carried)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _kinds.Add(typeof(T), new(ResourceKind.Of<T>(), _tenant.Informer<T>(), carried));

    private void AddCore<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _kinds.Add(typeof(T), new(ResourceKind.Of<T>(), _tenant.Informer<T>(), carried: null) { IsCore = true });

    private sealed class Kind(ResourceKind resource, IInformer informer, string? carried)
    {
        /// <summary>Removals of the informer that are known to be deletions; -1 before the first answer.</summary>
        public long Confirmed = -1;

        /// <summary>Part of Kubernetes itself: it has no definition that could go.</summary>
        public bool IsCore { get; init; }

        public string? Problem { get; set; }

        public long AskedAt { get; set; }

        public ResourceKind Resource => resource;

        public IInformer Informer => informer;

        public string? Carried => carried;

        public SemaphoreSlim Gate { get; } = new(1);
    }
}
