using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>The next response.</summary>
/// <param name="Type">The type.</param>
/// <param name="WithRemovals">Whether it includes removals.</param>
internal readonly record struct DuePush(TypeState Type, bool WithRemovals);

/// <summary>
/// Determines the next response on a stream so that no resource refers to a missing one (make before break):
/// <code>
///   additions  Secret → Cluster → ClusterLoadAssignment → Listener (with its removals) → RouteConfiguration
///   removals   RouteConfiguration → ClusterLoadAssignment → Cluster → Secret
/// </code>
/// Each step waits for the acknowledgement of the previous one, except that endpoints do not wait for clusters: Envoy acknowledges a
/// cluster after warming it, which requires its endpoints. At most one response per type is unacknowledged; later changes are sent in the
/// next one. The next response with clusters is sent only after all other types of the current round, so that frequent changes of clusters
/// do not starve listeners.
/// </summary>
internal sealed class PushOrder(bool delta, XdsOptions options)
{
    private readonly SortedList<(int Rank, string TypeUrl), TypeState> _types = new(new ByRank());
    private bool _endpointsRequested;

    // The sequence number of the node at the last response with clusters; null after the resources that refer to them have been sent.
    private long? _round;

    public IEnumerable<TypeState> Types => _types.Values;

    public int Count => _types.Count;

    public TypeState? Find(string typeUrl) => _types.GetValueOrDefault((ResourceTypes.Rank(typeUrl), typeUrl));

    public TypeState Add(string typeUrl)
    {
        var type = new TypeState(typeUrl, delta);
        _types.Add((type.Rank, typeUrl), type);
        return type;
    }

    /// <summary>
    /// The next response; null if none is due. The caller must hold the lock of the node, so that the state of all types is consistent.
    /// </summary>
    public DuePush? Next(NodeResources node)
    {
        if (!node.Initialized)
        {
            return null;
        }

        while (true)
        {
            if (NextAddition(node, out var waiting) is { } due)
            {
                return due;
            }

            if (waiting)
            {
                return null;
            }

            if (_round is null)
            {
                return NextRemoval();
            }

            _round = null;
        }
    }

    private DuePush? NextAddition(NodeResources node, out bool waiting)
    {
        waiting = false;
        var warming = false;
        foreach (var type in _types.Values)
        {
            var isCluster = type.TypeUrl == ResourceTypes.Cluster;
            var isEndpoints = type.TypeUrl == ResourceTypes.ClusterLoadAssignment;
            if (type.Awaiting)
            {
                warming |= isCluster;
                waiting |= type.Ordered && !isCluster;
                continue;
            }

            if ((type.Ordered && (waiting || (warming && !isEndpoints))) || (isCluster && _round is not null))
            {
                continue;
            }

            if (isEndpoints && !_endpointsRequested)
            {
                _endpointsRequested = true;
                ResendEndpointsOfSentClusters(type);
            }

            var withRemovals = !DefersRemovals(type);
            if (Collect(type, node, withRemovals, RefersToClusters(type) ? _round : null))
            {
                if (isCluster)
                {
                    _round = node.Sequence;
                    ResendEndpoints(type);
                }

                return new DuePush(type, withRemovals);
            }
        }

        waiting |= warming;
        return null;
    }

    private static bool RefersToClusters(TypeState type) => type.TypeUrl is ResourceTypes.Listener or ResourceTypes.RouteConfiguration;

    // A stream with a single type requires no order.
    private bool DefersRemovals(TypeState type) => _types.Count > 1 && ResourceTypes.IsReferredTo(type.TypeUrl);

    private bool Collect(TypeState type, NodeResources node, bool withRemovals, long? until)
    {
        var subscription = type.Subscription;
        if (type.InitialVersion is { } version)
        {
            type.InitialVersion = null;
            if (subscription.IsUpToDate(node, version))
            {
                subscription.ResponseRequired = false;
                type.AcknowledgedVersion = type.SentVersion = version;
                return false;
            }
        }

        subscription.Collect(node, until);
        if (!delta && !ResourceTypes.IsWholeState(type.TypeUrl))
        {
            // The protocol cannot express removals of this type: the client drops the resource with the cluster or listener that refers to
            // it.
            subscription.TakeRemovals();
            return subscription.Additions.Count > 0;
        }

        return subscription.ResponseRequired
            || subscription.Additions.Count > 0
            || (delta && subscription.Missing.Count > 0)
            || (withRemovals && subscription.Removals.Count > 0);
    }

    private DuePush? NextRemoval()
    {
        var deferred = _types.Values.Sum(t => t.Subscription.Removals.Count);
        if (deferred == 0 || (ReferrerRejected() && deferred <= options.MaxDeferredRemovals))
        {
            return null;
        }

        var type = _types.Values.Last(t => t.Subscription.Removals.Count > 0);
        return type.Awaiting ? null : new DuePush(type, WithRemovals: true);
    }

    private bool ReferrerRejected() =>
        Find(ResourceTypes.Listener)?.Rejection is not null || Find(ResourceTypes.RouteConfiguration)?.Rejection is not null;

    private void ResendEndpoints(TypeState clusters)
    {
        if (options.ResendEndpointsOfClusters && Find(ResourceTypes.ClusterLoadAssignment) is { } endpoints)
        {
            Resend(clusters.Subscription.Additions.Values, endpoints);
        }
    }

    // A reconnecting client receives changed clusters before it reports the versions of its endpoints. Unchanged endpoints are resent too,
    // because Envoy requires them to warm the clusters.
    private void ResendEndpointsOfSentClusters(TypeState endpoints)
    {
        if (
            options.ResendEndpointsOfClusters
            && Find(ResourceTypes.Cluster)?.Subscription.Sent.Resources is { } clusters
            && Resend(clusters, endpoints)
        )
        {
            endpoints.InitialVersion = null;
        }
    }

    private static bool Resend(IEnumerable<VersionedResource> clusters, TypeState endpoints)
    {
        var any = false;
        foreach (var name in clusters.Select(c => c.EndpointsName).OfType<string>())
        {
            any = true;
            endpoints.Subscription.Resend(name);
        }

        return any;
    }

    private sealed class ByRank : IComparer<(int Rank, string TypeUrl)>
    {
        public int Compare((int Rank, string TypeUrl) x, (int Rank, string TypeUrl) y) =>
            x.Rank != y.Rank ? x.Rank.CompareTo(y.Rank) : string.CompareOrdinal(x.TypeUrl, y.TypeUrl);
    }
}
