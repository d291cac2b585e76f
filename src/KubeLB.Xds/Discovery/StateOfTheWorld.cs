using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// The protocol in which each request names everything that the client is interested in, and a response of listeners or clusters
/// holds all of them; other types carry what changed.
/// </summary>
internal sealed class StateOfTheWorld : IDiscoveryProtocol<DiscoveryRequest, DiscoveryResponse>
{
    public static readonly StateOfTheWorld Instance = new();

    public bool Delta => false;

    public RequestHeader Header(DiscoveryRequest request) =>
        new(request.Node?.Id, request.TypeUrl, request.ResponseNonce, request.ErrorDetail, RequestHeader.PodOf(request.Node));

    public void Subscribe(DiscoveryRequest request, TypeState type, bool first, bool stale)
    {
        if (stale)
        {
            // The client has a newer response to read yet, and its answer to that names everything again.
            return;
        }

        var subscription = type.Subscription;
        var wholeState = ResourceTypes.IsWholeState(type.TypeUrl);
        if (first)
        {
            subscription.OwesAnswer = wholeState;
            type.ClaimedVersion = request.VersionInfo.Length > 0 ? request.VersionInfo : null;
        }

        if (request.ResourceNames.Count == 0 && !subscription.EverNamed)
        {
            subscription.SubscribeToEverything();
            return;
        }

        var named = request.ResourceNames.ToHashSet(StringComparer.Ordinal);
        foreach (var gone in subscription.Names.Where(n => !named.Contains(n)).ToList())
        {
            subscription.Unsubscribe(gone);
        }

        foreach (var name in named)
        {
            if (!subscription.Names.Contains(name) && !(name == Subscription.Everything && subscription.Wildcard))
            {
                subscription.Subscribe(name);
                subscription.OwesAnswer |= wholeState;
            }
        }

        if (subscription.Wildcard && !named.Contains(Subscription.Everything))
        {
            subscription.Unsubscribe(Subscription.Everything);
        }
    }

    public DiscoveryResponse Encode(DuePush due, string nonce, string controlPlane, out int resources, out int removed)
    {
        var (type, withRemovals) = due;
        var subscription = type.Subscription;
        var response = new DiscoveryResponse { TypeUrl = type.TypeUrl, Nonce = nonce };
        subscription.TakeAdditions();
        removed = 0;
        if (withRemovals)
        {
            removed = subscription.Removals.Count;
            subscription.TakeRemovals();
        }

        response.VersionInfo = subscription.Sent.Version;
        response.Resources.AddRange(
            ResourceTypes.IsWholeState(type.TypeUrl) ? subscription.Sent.Bodies : subscription.Additions.Values.Select(r => r.Body)
        );
        resources = response.Resources.Count;
        if (controlPlane.Length > 0)
        {
            response.ControlPlane = new ControlPlane { Identifier = controlPlane };
        }

        return response;
    }
}
