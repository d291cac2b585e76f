using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;

namespace KubeLB.Xds.Discovery;

/// <summary>The protocol (delta) in which requests and responses carry changes only, and each resource has a version of its own.</summary>
internal sealed class Incremental : IDiscoveryProtocol<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
{
    public static readonly Incremental Instance = new();

    public bool Delta => true;

    public RequestHeader Header(DeltaDiscoveryRequest request) =>
        new(request.Node?.Id, request.TypeUrl, request.ResponseNonce, request.ErrorDetail, RequestHeader.PodOf(request.Node));

    // Changes of interest count even when they come with a stale nonce: they are not said again.
    public void Subscribe(DeltaDiscoveryRequest request, TypeState type, bool first, bool stale)
    {
        var subscription = type.Subscription;
        foreach (var name in request.ResourceNamesSubscribe)
        {
            subscription.Subscribe(name, hasIt: first && request.InitialResourceVersions.ContainsKey(name));
        }

        if (first)
        {
            if (request.ResourceNamesSubscribe.Count == 0)
            {
                subscription.SubscribeToEverything();
            }

            foreach (var (name, version) in request.InitialResourceVersions)
            {
                subscription.AlreadyHas(name, version);
            }

            // A client that starts waits for the first answer, be it that there is nothing.
            subscription.OwesAnswer = subscription.Wildcard && request.InitialResourceVersions.Count == 0;
        }

        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            subscription.Unsubscribe(name);
        }
    }

    public DeltaDiscoveryResponse Encode(DuePush due, string nonce, string controlPlane, out int resources, out int removed)
    {
        var (type, withRemovals) = due;
        var subscription = type.Subscription;
        var response = new DeltaDiscoveryResponse { TypeUrl = type.TypeUrl, Nonce = nonce };
        foreach (var resource in subscription.Additions.Values)
        {
            response.Resources.Add(
                new Resource
                {
                    Name = resource.Name,
                    Version = resource.Version,
                    Resource_ = resource.Body,
                }
            );
        }

        response.RemovedResources.AddRange(subscription.Missing);
        subscription.TakeAdditions();
        if (withRemovals)
        {
            response.RemovedResources.AddRange(subscription.Removals);
            subscription.TakeRemovals();
        }

        response.SystemVersionInfo = subscription.Sent.Version;
        resources = response.Resources.Count;
        removed = response.RemovedResources.Count;
        if (controlPlane.Length > 0)
        {
            response.ControlPlane = new ControlPlane { Identifier = controlPlane };
        }

        return response;
    }
}
