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
/// Each step waits for the client's answer to the one before it. One response per type is under way at a time; what changes in the
/// meantime is in the next one.
/// </summary>
internal sealed class PushOrder(bool delta, XdsOptions options)
{
    private readonly SortedList<(int Rank, string TypeUrl), TypeState> _types = new(new ByRank());
    private bool _endpointsAsked;

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

        var waiting = false;
        foreach (var type in _types.Values)
        {
            if (type.Awaiting)
            {
                waiting |= type.Ordered;
                continue;
            }

            if (waiting && type.Ordered)
            {
                continue;
            }

            if (type.TypeUrl == ResourceTypes.ClusterLoadAssignment && !_endpointsAsked)
            {
                _endpointsAsked = true;
                ResendEndpointsOfSentClusters(type);
            }

            var removalsNow = !Defers(type);
            if (Collect(type, node, removalsNow))
            {
                ResendEndpoints(type);
                return new DuePush(type, removalsNow);
            }
        }

        return waiting ? null : NextRemoval();
    }

    // A stream of one type cannot be ordered against others.
    private bool Defers(TypeState type) => _types.Count > 1 && ResourceTypes.IsReferredTo(type.TypeUrl);

    private bool Collect(TypeState type, NodeResources node, bool removalsNow)
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

        subscription.Collect(node);
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

    private void ResendEndpoints(TypeState type)
    {
        if (options.ResendEndpointsOfClusters && type.TypeUrl == ResourceTypes.Cluster
            && Find(ResourceTypes.ClusterLoadAssignment) is { } endpoints)
        {
            Resend(type.Subscription.Additions.Values, endpoints);
        }
    }

    // A client that reconnects is sent what is new among its clusters, and only then says which endpoints it has: other clusters have them.
    private void ResendEndpointsOfSentClusters(TypeState endpoints)
    {
        if (options.ResendEndpointsOfClusters && Find(ResourceTypes.Cluster)?.Subscription.Sent.Resources is { } clusters && Resend(clusters, endpoints))
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
