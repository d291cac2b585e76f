using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>A response that is due.</summary>
/// <param name="Type">The type.</param>
/// <param name="WithRemovals">Whether it also tells what is gone.</param>
internal readonly record struct DuePush(TypeState Type, bool WithRemovals);

/// <summary>
/// Decides which response is next on a stream so that nothing refers to what is not there: make before break.
/// <code>
///   additions  Secret → Cluster → ClusterLoadAssignment → Listener (with its removals) → RouteConfiguration
///   removals   RouteConfiguration → ClusterLoadAssignment → Cluster → Secret
/// </code>
/// Each step waits for the client's answer to the one before it, but endpoints do not wait for clusters: Envoy answers for a cluster when
/// it has warmed it, and that takes its endpoints. One response per type is under way at a time; what changes in the meantime is in the
/// next one, and before clusters have their next one everything that came with the last had its turn: who changes clusters all the time
/// does not keep listeners from being sent.
/// </summary>
internal sealed class PushOrder(bool delta, XdsOptions options)
{
    private readonly SortedList<(int Rank, string TypeUrl), TypeState> _types = new(new ByRank());
    private bool _endpointsAsked;

    // How far the node's changes had come when clusters were last sent; null once what refers to those has been sent, too.
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

    /// <summary>The next response, null if nothing is due. The node's gate is held, so that all types are seen in one state.</summary>
    public DuePush? Next(NodeResources node)
    {
        if (!node.Known)
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

            if (isEndpoints && !_endpointsAsked)
            {
                _endpointsAsked = true;
                ResendEndpointsOfSentClusters(type);
            }

            var removalsNow = !Defers(type);
            if (Collect(type, node, removalsNow, RefersToClusters(type) ? _round : null))
            {
                if (isCluster)
                {
                    _round = node.Sequence;
                    ResendEndpoints(type);
                }

                return new DuePush(type, removalsNow);
            }
        }

        waiting |= warming;
        return null;
    }

    private static bool RefersToClusters(TypeState type) => type.TypeUrl is ResourceTypes.Listener or ResourceTypes.RouteConfiguration;

    // A stream of one type cannot be ordered against others.
    private bool Defers(TypeState type) => _types.Count > 1 && ResourceTypes.IsReferredTo(type.TypeUrl);

    private bool Collect(TypeState type, NodeResources node, bool removalsNow, long? until)
    {
        var subscription = type.Subscription;
        if (type.ClaimedVersion is { } claimed)
        {
            type.ClaimedVersion = null;
            if (subscription.IsUpToDate(node, claimed))
            {
                subscription.OwesAnswer = false;
                type.AcknowledgedVersion = type.SentVersion = claimed;
                return false;
            }
        }

        subscription.Collect(node, until);
        if (!delta && !ResourceTypes.IsWholeState(type.TypeUrl))
        {
            // This protocol has no words for it: the client drops these with the cluster or listener that refers to them.
            subscription.TakeRemovals();
            return subscription.Additions.Count > 0;
        }

        return subscription.OwesAnswer
            || subscription.Additions.Count > 0
            || (delta && subscription.Missing.Count > 0)
            || (removalsNow && subscription.Removals.Count > 0);
    }

    private DuePush? NextRemoval()
    {
        var held = _types.Values.Sum(t => t.Subscription.Removals.Count);
        if (held == 0 || (ReferrerRejected() && held <= options.MaxHeldRemovals))
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

    // A client that reconnects is sent what is new among its clusters, and only then says which endpoints it has: other clusters have them.
    private void ResendEndpointsOfSentClusters(TypeState endpoints)
    {
        if (
            options.ResendEndpointsOfClusters
            && Find(ResourceTypes.Cluster)?.Subscription.Sent.Resources is { } clusters
            && Resend(clusters, endpoints)
        )
        {
            endpoints.ClaimedVersion = null;
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
