using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Grpc.Core;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>The common fields of both types of request.</summary>
/// <param name="Node">The node id; null if the request has none.</param>
/// <param name="TypeUrl">The type.</param>
/// <param name="Nonce">The nonce of the acknowledged response; empty if none.</param>
/// <param name="Error">The error of the client if it rejects the response.</param>
/// <param name="Pod">The pod of the client, from its node metadata; null if not set.</param>
internal readonly record struct RequestHeader(string? Node, string TypeUrl, string Nonce, Google.Rpc.Status? Error, string? Pod)
{
    /// <summary>Reads the pod from node metadata.</summary>
    public static string? PodOf(Node? node) =>
        node?.Metadata?.Fields.GetValueOrDefault(XdsStreamInfo.PodMetadata)
            is {
                KindCase: Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue,
                StringValue: { Length: > 0 and <= MaxPodNameLength } pod
            }
            ? pod
            : null;

    private const int MaxPodNameLength = 253;
}

/// <summary>The limit of the length of names, which clients choose.</summary>
internal static class NameLimit
{
    private const int Quoted = 40;

    /// <exception cref="RpcException">A name exceeds the limit.</exception>
    public static void Check(string field, string? name, int limit)
    {
        if (name?.Length > limit)
        {
            throw new RpcException(
                new Status(
                    StatusCode.InvalidArgument,
                    $"{field} {name[..Quoted]}… has {name.Length} characters; at most {limit} are permitted."
                )
            );
        }
    }
}

/// <summary>The differences between the state-of-the-world and the incremental protocol.</summary>
internal interface IDiscoveryProtocol<TRequest, TResponse>
    where TResponse : IMessage
{
    bool Delta { get; }

    RequestHeader Header(TRequest request);

    /// <summary>All resource names of a request.</summary>
    IEnumerable<string> Names(TRequest request);

    /// <summary>Updates the subscription of the client.</summary>
    /// <param name="request">The request.</param>
    /// <param name="type">The state of the type.</param>
    /// <param name="first">Whether it is the first request for this type on the stream.</param>
    /// <param name="stale">Whether its nonce is not that of the last response.</param>
    void Subscribe(TRequest request, TypeState type, bool first, bool stale);

    /// <summary>Creates a response and marks its resources as sent in the subscription.</summary>
    TResponse Encode(DuePush due, string nonce, string controlPlane, out int resources, out int removed);
}

/// <summary>
/// The state-of-the-world protocol: each request names all resources of the subscription, and a response with listeners or clusters
/// contains all of them; responses of other types contain changed resources.
/// </summary>
internal sealed class StateOfTheWorld : IDiscoveryProtocol<DiscoveryRequest, DiscoveryResponse>
{
    public static readonly StateOfTheWorld Instance = new();

    public bool Delta => false;

    public RequestHeader Header(DiscoveryRequest request) =>
        new(request.Node?.Id, request.TypeUrl, request.ResponseNonce, request.ErrorDetail, RequestHeader.PodOf(request.Node));

    public IEnumerable<string> Names(DiscoveryRequest request) => request.ResourceNames;

    public void Subscribe(DiscoveryRequest request, TypeState type, bool first, bool stale)
    {
        if (stale)
        {
            // The client has not handled the last response yet; its acknowledgement will name all resources.
            return;
        }

        var subscription = type.Subscription;
        var wholeState = ResourceTypes.IsWholeState(type.TypeUrl);
        if (first)
        {
            subscription.ResponseRequired = wholeState;
            type.InitialVersion = request.VersionInfo.Length > 0 ? request.VersionInfo : null;
        }

        if (request.ResourceNames.Count == 0 && !subscription.HasNamedResources)
        {
            subscription.SubscribeToAll();
            return;
        }

        var named = request.ResourceNames.ToHashSet(StringComparer.Ordinal);
        foreach (var name in subscription.Names.Where(n => !named.Contains(n)).ToList())
        {
            subscription.Unsubscribe(name);
        }

        foreach (var name in named)
        {
            if (!subscription.Names.Contains(name) && !(name == Subscription.WildcardName && subscription.Wildcard))
            {
                subscription.Subscribe(name);
                subscription.ResponseRequired |= wholeState;
            }
        }

        if (subscription.Wildcard && !named.Contains(Subscription.WildcardName))
        {
            subscription.Unsubscribe(Subscription.WildcardName);
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

/// <summary>The incremental (delta) protocol: requests and responses contain changes only, and each resource has a version.</summary>
internal sealed class Incremental : IDiscoveryProtocol<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
{
    public static readonly Incremental Instance = new();

    public bool Delta => true;

    public RequestHeader Header(DeltaDiscoveryRequest request) =>
        new(request.Node?.Id, request.TypeUrl, request.ResponseNonce, request.ErrorDetail, RequestHeader.PodOf(request.Node));

    public IEnumerable<string> Names(DeltaDiscoveryRequest request) =>
        request
            .ResourceNamesSubscribe.Concat(request.ResourceNamesUnsubscribe)
            .Concat(request.InitialResourceVersions.Keys)
            .Concat(request.InitialResourceVersions.Values);

    // Changes of the subscription are applied even if the nonce is stale, because the client does not repeat them.
    public void Subscribe(DeltaDiscoveryRequest request, TypeState type, bool first, bool stale)
    {
        var subscription = type.Subscription;
        foreach (var name in request.ResourceNamesSubscribe)
        {
            subscription.Subscribe(name, isHeld: first && request.InitialResourceVersions.ContainsKey(name));
        }

        if (first)
        {
            if (request.ResourceNamesSubscribe.Count == 0)
            {
                subscription.SubscribeToAll();
            }

            foreach (var (name, version) in request.InitialResourceVersions)
            {
                subscription.SetInitialVersion(name, version);
            }

            // A starting client waits for the first response, even if it is empty.
            subscription.ResponseRequired = subscription.Wildcard && request.InitialResourceVersions.Count == 0;
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
