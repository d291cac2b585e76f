using Google.Protobuf;
using Grpc.Core;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// The state of one stream, without the transport: handles requests and creates responses. Used by the loop of the stream only, except for
/// the members of <see cref="IXdsStream"/>, which are thread-safe.
/// </summary>
internal sealed class DiscoveryStream<TRequest, TResponse>(
    IDiscoveryProtocol<TRequest, TResponse> protocol,
    XdsStreamInfo info,
    string? onlyType,
    NodeResources node,
    XdsOptions options,
    XdsObservers observers,
    TimeProvider time,
    Action wake
) : IXdsStream, IDisposable
    where TResponse : class, IMessage
{
    private readonly PushOrder _order = new(protocol.Delta, options);
    private readonly ListenerRetry _retry = new(options, time, wake);
    private readonly Lock _gate = new();
    private readonly DateTimeOffset _opened = time.GetUtcNow();
    private volatile bool _isEnded;
    private long _nonces;

    public XdsStreamInfo Info => info;

    /// <summary>Handles a request.</summary>
    /// <exception cref="RpcException">The request violates the protocol or exceeds a limit; the stream ends with this error.</exception>
    public void HandleRequest(TRequest request)
    {
        var header = protocol.Header(request);
        if (header.Node is { Length: > 0 } requested && requested != info.Node)
        {
            throw InvalidArgument($"node.id changed from {info.Node} to {requested}: open another stream for another node.");
        }

        NameLimit.Check("type_url", header.TypeUrl, options.MaxNameLength);
        foreach (var name in protocol.Names(request))
        {
            NameLimit.Check("Resource name", name, options.MaxNameLength);
        }

        // Observers are notified without the lock, because they may read this stream and others.
        Action<IXdsObserver>? notification = null;
        lock (_gate)
        {
            var typeUrl = TypeOf(header);
            var type = _order.Find(typeUrl);
            var first = type is null;
            if (type is null)
            {
                if (_order.Count >= options.MaxTypesPerStream)
                {
                    throw ResourceExhausted(
                        $"Too many resource types: at most {options.MaxTypesPerStream} per stream; subscribe to fewer types."
                    );
                }

                type = _order.Add(typeUrl);
            }

            var stale = !first && header.Nonce != type.Nonce;
            if (!first && !stale && type.Awaiting)
            {
                notification = HandleAcknowledgement(type, header);
            }

            protocol.Subscribe(request, type, first, stale);
            if (_order.Types.Sum(t => t.Subscription.Names.Count) > options.MaxSubscribedNames)
            {
                throw ResourceExhausted(
                    $"Too many subscribed names: at most {options.MaxSubscribedNames} per stream; "
                        + "unsubscribe from names, or use the wildcard."
                );
            }

            if (_order.Types.Sum(t => t.Subscription.InitialResources) > options.MaxSubscribedNames)
            {
                throw ResourceExhausted(
                    $"Too many initial resources: at most {options.MaxSubscribedNames} per stream; reconnect without initial versions."
                );
            }
        }

        if (notification is not null)
        {
            observers.Notify(notification);
        }
    }

    /// <summary>Ends the stream. Thread-safe.</summary>
    public void End()
    {
        _isEnded = true;
        wake();
    }

    /// <summary>The next response; null if no response is due.</summary>
    /// <exception cref="RpcException">The control plane has ended the stream.</exception>
    public TResponse? Next(out Action sent)
    {
        if (_isEnded)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The control plane has ended the stream; reconnect."));
        }

        lock (_gate)
        {
            // Listeners are not resent while a response with listeners is unacknowledged, because its result is unknown.
            if (_order.Find(ResourceTypes.Listener) is { Awaiting: false } && _retry.TryTakeDue())
            {
                ResendUnboundListeners();
            }

            DuePush? due;
            lock (node.Gate)
            {
                due = _order.Next(node);
            }

            if (due is not { } push)
            {
                sent = static () => { };
                return null;
            }

            var type = push.Type;
            var subscription = type.Subscription;
            type.SentNames = [.. subscription.Additions.Keys.Take(XdsRejection.MaxNames)];
            type.Rejected.OnSending(name =>
                subscription.Additions.ContainsKey(name) || (push.WithRemovals && subscription.Removals.Contains(name))
            );
            var response = protocol.Encode(push, Nonce(type), options.ControlPlane, out var resources, out var removed);
            type.SentVersion = subscription.Sent.Version;
            type.Awaiting = true;
            subscription.ResponseRequired = false;
            var oldest = subscription.OldestChange;
            sent = () =>
            {
                type.SentAt = time.GetTimestamp();
                TimeSpan? since = oldest is { } at ? time.GetElapsedTime(at) : null;
                observers.Notify(o => o.Sent(info, new XdsPush(type.TypeUrl, resources, removed, response.CalculateSize(), since)));
            };
            return response;
        }
    }

    public void Dispose() => _retry.Dispose();

    public XdsStreamStatus Describe()
    {
        lock (_gate)
        {
            return new XdsStreamStatus(
                info,
                _opened,
                [
                    .. _order.Types.Select(t => new XdsTypeStatus(
                        t.TypeUrl,
                        t.Subscription.Wildcard,
                        t.Subscription.Names.Count,
                        t.Subscription.Sent.Count,
                        t.SentVersion,
                        t.AcknowledgedVersion,
                        t.Awaiting,
                        t.Rejection
                    )
                    {
                        AcknowledgedNonce = t.AcknowledgedNonce,
                        Rejected = t.Rejected.ByName,
                    }),
                ]
            );
        }
    }

    public (XdsAcknowledgementState State, XdsRejection? Rejection)? AcknowledgementOf(XdsResourceVersion resource)
    {
        lock (_gate)
        {
            if (_order.Find(resource.TypeUrl) is not { } type)
            {
                return null;
            }

            if (type.Rejected.Find(resource.Name) is { } rejection)
            {
                return (XdsAcknowledgementState.Rejected, rejection);
            }

            // While a response is unacknowledged, its resources are still listed as additions.
            var isAcknowledged =
                type.Subscription.Sent.Has(resource.Name, resource.Version)
                && !(type.Awaiting && type.Subscription.Additions.ContainsKey(resource.Name));
            return (isAcknowledged ? XdsAcknowledgementState.Acknowledged : XdsAcknowledgementState.Pending, null);
        }
    }

    private string TypeOf(RequestHeader header)
    {
        if (onlyType is null)
        {
            return header.TypeUrl.Length > 0
                ? header.TypeUrl
                : throw InvalidArgument("type_url is empty: each request on an aggregated stream must set it.");
        }

        return header.TypeUrl.Length == 0 || header.TypeUrl == onlyType
            ? onlyType
            : throw InvalidArgument(
                $"Invalid type_url {header.TypeUrl}: this service only serves {onlyType}. Use the service of the type or an aggregated "
                    + "stream."
            );
    }

    private Action<IXdsObserver> HandleAcknowledgement(TypeState type, RequestHeader header)
    {
        type.Awaiting = false;
        Func<string, bool> isSent = type.Subscription.Sent.Has;
        if (header.Error is { } error)
        {
            var message =
                error.Message.Length <= XdsRejection.MaxMessageLength ? error.Message : error.Message[..XdsRejection.MaxMessageLength];
            var named = ErrorMessage.FindResourceNames(message, isSent);
            var rejection = new XdsRejection(type.TypeUrl, error.Code, message, named.Count > 0 ? named : type.SentNames, time.GetUtcNow())
            {
                Version = type.SentVersion,
            };
            type.Rejection = rejection;
            if (named.Count == 0)
            {
                type.Subscription.OnRejectedWithoutNames();
            }

            type.Rejected.OnRejected(rejection, named.Count > 0, isSent);
            if (ListenerRetry.AppliesTo(rejection))
            {
                _retry.Schedule();
            }

            return o => o.Rejected(info, rejection);
        }

        type.Rejection = null;
        type.AcknowledgedVersion = type.SentVersion;
        type.AcknowledgedNonce = header.Nonce;
        if (type.Rejected.OnAcknowledged(isSent) && type.TypeUrl == ResourceTypes.Listener)
        {
            _retry.Reset();
        }

        var since = time.GetElapsedTime(type.SentAt);
        return o => o.Acknowledged(info, type.TypeUrl, since);
    }

    private void ResendUnboundListeners()
    {
        if (_order.Find(ResourceTypes.Listener) is { } listeners)
        {
            foreach (var (name, _) in listeners.Rejected.ByName.Where(r => ListenerRetry.AppliesTo(r.Value)))
            {
                listeners.Subscription.Resend(name);
            }
        }
    }

    private string Nonce(TypeState type) => type.Nonce = (++_nonces).ToString("x");

    private static RpcException InvalidArgument(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static RpcException ResourceExhausted(string message) => new(new Status(StatusCode.ResourceExhausted, message));
}

/// <summary>One type on one stream: the subscription and the state of the protocol.</summary>
internal sealed class TypeState(string typeUrl, bool delta)
{
    public string TypeUrl { get; } = typeUrl;

    public int Rank { get; } = ResourceTypes.Rank(typeUrl);

    /// <summary>Whether responses of this type are ordered relative to other types.</summary>
    public bool Ordered => Rank != ResourceTypes.Unordered;

    public Subscription Subscription { get; } = new(typeUrl);

    /// <summary>Nonce of the last response; empty before the first.</summary>
    public string Nonce { get; set; } = "";

    /// <summary>Whether the last response is unacknowledged. The next one is sent after its ACK or NACK.</summary>
    public bool Awaiting { get; set; }

    /// <summary>Version of the last response.</summary>
    public string SentVersion { get; set; } = "";

    /// <summary>Version that the client last accepted.</summary>
    public string AcknowledgedVersion { get; set; } = "";

    /// <summary>Nonce of the response that the client last accepted; empty before the first.</summary>
    public string AcknowledgedNonce { get; set; } = "";

    /// <summary>Names of the changed resources in the last response.</summary>
    public IReadOnlyList<string> SentNames { get; set; } = [];

    public long SentAt { get; set; }

    /// <summary>The last rejection, until the client accepts a response.</summary>
    public XdsRejection? Rejection { get; set; }

    /// <summary>The resources that the client rejected and has not accepted since.</summary>
    public RejectedResources Rejected { get; } = new(!delta && ResourceTypes.IsWholeState(typeUrl));

    /// <summary>The version of a reconnecting client (state of the world), until it has been compared.</summary>
    public string? InitialVersion { get; set; }
}
