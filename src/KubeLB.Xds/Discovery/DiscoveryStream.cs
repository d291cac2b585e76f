using Google.Protobuf;
using Grpc.Core;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// What is said on one stream, without the transport: takes requests, gives responses. The stream's loop is its only user;
/// <see cref="Describe"/> may be called by anybody.
/// </summary>
internal sealed class DiscoveryStream<TRequest, TResponse>(
    IDiscoveryProtocol<TRequest, TResponse> protocol,
    XdsStreamInfo info,
    string? onlyType,
    NodeResources node,
    XdsOptions options,
    Observers observers,
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

    /// <summary>Takes a request.</summary>
    /// <exception cref="RpcException">The request breaks the protocol; the stream ends with it.</exception>
    public void Take(TRequest request)
    {
        var header = protocol.Header(request);
        if (header.Node is { Length: > 0 } claimed && claimed != info.Node)
        {
            throw Invalid($"The stream was opened for node {info.Node} and cannot become one for {claimed}: open another stream.");
        }

        // Observers are told without the gate: they may look at this stream and at others.
        Action<IXdsObserver>? news = null;
        lock (_gate)
        {
            var typeUrl = TypeOf(header);
            var type = _order.Find(typeUrl);
            var first = type is null;
            if (type is null)
            {
                if (_order.Count >= options.MaxTypesPerStream)
                {
                    throw TooMuch($"A stream may ask for {options.MaxTypesPerStream} resource types.");
                }

                type = _order.Add(typeUrl);
            }

            var stale = !first && header.Nonce != type.Nonce;
            if (!first && !stale && type.Awaiting)
            {
                news = Answer(type, header);
            }

            protocol.Subscribe(request, type, first, stale);
            if (_order.Types.Sum(t => t.Subscription.Names.Count) > options.MaxSubscribedNames)
            {
                throw TooMuch($"A stream may subscribe to {options.MaxSubscribedNames} names.");
            }

            if (_order.Types.Sum(t => t.Subscription.Claimed) > options.MaxSubscribedNames)
            {
                throw TooMuch($"A stream may begin with {options.MaxSubscribedNames} resources.");
            }
        }

        if (news is not null)
        {
            observers.Tell(news);
        }
    }

    /// <summary>Nothing more is sent; may be called by anybody.</summary>
    public void End()
    {
        _isEnded = true;
        wake();
    }

    /// <summary>The next response that is due, null if none is.</summary>
    /// <exception cref="RpcException">The control plane has ended the stream.</exception>
    public TResponse? Next(out Action sent)
    {
        if (_isEnded)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The control plane has ended the stream; connect again."));
        }

        lock (_gate)
        {
            // While a response is unanswered, what it says of the listeners is not known.
            if (_order.Find(ResourceTypes.Listener) is { Awaiting: false } && _retry.TakeDue())
            {
                SendUnboundListenersAgain();
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
            type.Rejected.Sending(name =>
                subscription.Additions.ContainsKey(name) || (push.WithRemovals && subscription.Removals.Contains(name))
            );
            var response = protocol.Encode(push, Nonce(type), options.ControlPlane, out var resources, out var removed);
            type.SentVersion = subscription.Sent.Version;
            type.Awaiting = true;
            subscription.OwesAnswer = false;
            var oldest = subscription.OldestChange;
            sent = () =>
            {
                type.SentAt = time.GetTimestamp();
                TimeSpan? since = oldest is { } at ? time.GetElapsedTime(at) : null;
                observers.Tell(o => o.Sent(info, new XdsPush(type.TypeUrl, resources, removed, response.CalculateSize(), since)));
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

    public (XdsAcknowledgementState Standing, XdsRejection? Rejection)? AcknowledgementOf(XdsResourceVersion resource)
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

            // While a response is unanswered, what it holds is still listed as the last additions.
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
                : throw Invalid("type_url is empty: on an aggregated stream each request says which type it is about.");
        }

        return header.TypeUrl.Length == 0 || header.TypeUrl == onlyType
            ? onlyType
            : throw Invalid(
                $"type_url is {header.TypeUrl}, but this service serves {onlyType} only: use the type's own service or an aggregated "
                    + "stream."
            );
    }

    private Action<IXdsObserver> Answer(TypeState type, RequestHeader header)
    {
        type.Awaiting = false;
        Func<string, bool> has = type.Subscription.Sent.Has;
        if (header.Error is { } error)
        {
            var message =
                error.Message.Length <= XdsRejection.MaxMessageLength ? error.Message : error.Message[..XdsRejection.MaxMessageLength];
            var named = NamedResources.In(message, has);
            var rejection = new XdsRejection(type.TypeUrl, error.Code, message, named.Count > 0 ? named : type.SentNames, time.GetUtcNow())
            {
                Version = type.SentVersion,
            };
            type.Rejection = rejection;
            if (named.Count == 0)
            {
                type.Subscription.RefuseTogether();
            }

            type.Rejected.Refused(rejection, named.Count > 0, has);
            if (ListenerRetry.Concerns(rejection))
            {
                _retry.Begin();
            }

            return o => o.Rejected(info, rejection);
        }

        type.Rejection = null;
        type.AcknowledgedVersion = type.SentVersion;
        type.AcknowledgedNonce = header.Nonce;
        if (type.Rejected.Taken(has) && type.TypeUrl == ResourceTypes.Listener)
        {
            _retry.Succeeded();
        }

        var since = time.GetElapsedTime(type.SentAt);
        return o => o.Acknowledged(info, type.TypeUrl, since);
    }

    private void SendUnboundListenersAgain()
    {
        if (_order.Find(ResourceTypes.Listener) is { } listeners)
        {
            foreach (var (name, _) in listeners.Rejected.ByName.Where(r => ListenerRetry.Concerns(r.Value)))
            {
                listeners.Subscription.Resend(name);
            }
        }
    }

    private string Nonce(TypeState type) => type.Nonce = (++_nonces).ToString("x");

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static RpcException TooMuch(string message) => new(new Status(StatusCode.ResourceExhausted, message));
}
