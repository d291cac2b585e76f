using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Caching;

/// <summary>
/// Tells an object that was deleted from one whose kind is going: an API server deletes all objects of a CustomResourceDefinition that is deleted, and
/// afterwards knows none. While a kind of Gateway API is not served, is being deleted, or was not listed completely, what is missing from its cache
/// is not taken for deleted. Asked before each reconcile that may remove something; a request is sent only if an object has left the cache since the
/// last answer.
/// </summary>
internal sealed class SourceKinds
{
    private static readonly ResourceKind Definitions = new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");

    private readonly Cluster _tenant;
    private readonly IInformer<Route> _routes;
    private readonly ILogger<SourceKinds> _logger;
    private readonly Dictionary<Type, Kind> _kinds;

    public SourceKinds(
        [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
        [FromKeyedServices(ClusterNames.Management)] Cluster management,
        ILogger<SourceKinds> logger)
    {
        _tenant = tenant;
        _routes = management.Informer<Route>();
        _logger = logger;
        _kinds = new Dictionary<Type, Kind>
        {
            [typeof(Gateway)] = KindOf<Gateway>(Gateway.KindName),
            [typeof(HttpRoute)] = KindOf<HttpRoute>(HttpRoute.KindName),
            [typeof(GrpcRoute)] = KindOf<GrpcRoute>(GrpcRoute.KindName),
            [typeof(ReferenceGrant)] = KindOf<ReferenceGrant>(carried: null),
        };
    }

    /// <summary>Why objects that are missing may exist all the same; null if what is missing was deleted.</summary>
    /// <param name="cancellationToken">Gives up waiting for the API server.</param>
    /// <param name="kinds">The kinds that the reconcile depends on.</param>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken, params Type[] kinds)
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

        string? problem;
        await kind.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            problem = IsConfirmed(kind) ? null : await AskAsync(kind, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            kind.Gate.Release();
        }

        var before = Interlocked.Exchange(ref kind.Problem, problem);
        if (before is null && problem is not null)
        {
            Log.Held(_logger, problem);
        }
        else if (before is not null && problem is null)
        {
            Log.NoLongerHeld(_logger, kind.Resource.FullName);
        }

        return problem;
    }

    private static bool IsConfirmed(Kind kind) => kind.Informer.IsComplete && Interlocked.Read(ref kind.Confirmed) == kind.Informer.Removals;

    private async Task<string?> AskAsync(Kind kind, CancellationToken cancellationToken)
    {
        if (!kind.Informer.IsComplete)
        {
            return IsInUse(kind) ? $"Kind {kind.Resource.FullName} is not served by the tenant's cluster; its objects stay as they are until it is." : null;
        }

        // Counted before the question: an object that goes while it is asked needs another answer.
        var removals = kind.Informer.Removals;
        if (!await IsServedAsync(kind.Resource, cancellationToken).ConfigureAwait(false))
        {
            return $"CustomResourceDefinition {kind.Resource.FullName} is missing or being deleted; what was made of its objects stays until it is served again.";
        }

        Interlocked.Exchange(ref kind.Confirmed, removals);
        return null;
    }

    private async Task<bool> IsServedAsync(ResourceKind kind, CancellationToken cancellationToken)
    {
        try
        {
            var definition = await _tenant.GetMetadataAsync(Definitions, new ResourceKey("", kind.FullName), cancellationToken).ConfigureAwait(false);
            return definition is { DeletionTimestamp: null };
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Forbidden)
        {
            // Discovery needs no permission. It tells the same, a moment later.
            return await _tenant.IsCreatableAsync(kind, cancellationToken).ConfigureAwait(false);
        }
    }

    // A kind that was never served and of which nothing is served in the management cluster has nothing to lose.
    private bool IsInUse(Kind kind) => kind.Carried is { } carried
        ? _routes.ByIndex(Indexes.ByOriginKind, carried).Count > 0
        : kind.Informer.Removals != Math.Max(0, Interlocked.Read(ref kind.Confirmed));

    private Kind KindOf<T>(string? carried)
        where T : class, IKubernetesObject<V1ObjectMeta> => new(ResourceKind.Of<T>(), _tenant.Informer<T>(), carried);

    private sealed class Kind(ResourceKind resource, IInformer informer, string? carried)
    {
        /// <summary>Removals of the informer that are known to be deletions; -1 before the first answer.</summary>
        public long Confirmed = -1;

        public string? Problem;

        public ResourceKind Resource => resource;

        public IInformer Informer => informer;

        public string? Carried => carried;

        public SemaphoreSlim Gate { get; } = new(1);
    }
}
