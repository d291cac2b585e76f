using System.Threading.Channels;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Grpc.Core;
using KubeLB.Xds.Resources;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// Runs the streams of all discovery services. Each stream has one loop that owns its state; another task reads a limited number of
/// requests ahead, so that the transport applies backpressure to a client that sends requests faster than the loop handles them.
/// </summary>
internal sealed class DiscoveryServer(
    ResourceCache cache,
    XdsStreams streams,
    IXdsAuthorizer authorizer,
    XdsObservers observers,
    IOptions<XdsOptions> options,
    IHostApplicationLifetime lifetime
)
{
    private const int RequestsReadAhead = 4;

    public Task StateOfTheWorldAsync(
        IAsyncStreamReader<DiscoveryRequest> requests,
        IServerStreamWriter<DiscoveryResponse> responses,
        ServerCallContext call,
        string? onlyType = null
    ) => RunAsync(StateOfTheWorld.Instance, requests, responses, call, onlyType);

    public Task DeltaAsync(
        IAsyncStreamReader<DeltaDiscoveryRequest> requests,
        IServerStreamWriter<DeltaDiscoveryResponse> responses,
        ServerCallContext call,
        string? onlyType = null
    ) => RunAsync(Incremental.Instance, requests, responses, call, onlyType);

    private async Task RunAsync<TRequest, TResponse>(
        IDiscoveryProtocol<TRequest, TResponse> protocol,
        IAsyncStreamReader<TRequest> requests,
        IServerStreamWriter<TResponse> responses,
        ServerCallContext call,
        string? onlyType
    )
        where TRequest : class
        where TResponse : class, IMessage
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, lifetime.ApplicationStopping);
        string? node = null;
        try
        {
            if (await ReadFirstAsync(requests, stop.Token).ConfigureAwait(false) is not { } first)
            {
                return;
            }

            // A node id that is too long is not passed to observers, which log it.
            var header = protocol.Header(first);
            NameLimit.Check("node.id", header.Node, options.Value.MaxNameLength);
            node = header.Node;
            var info = await AuthorizeAsync(protocol, first, call).ConfigureAwait(false);
            await ServeAsync(protocol, info, first, requests, responses, call, onlyType, stop).ConfigureAwait(false);
        }
        catch (Exception) when (call.CancellationToken.IsCancellationRequested)
        {
            // The client has disconnected.
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The control plane is stopping; reconnect."));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Invalid(node, call, e.Message);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw Invalid(node, call, "a message is incomplete, or its length or compression is invalid.");
        }
        catch (RpcException e) when (e.StatusCode is not (StatusCode.PermissionDenied or StatusCode.Unavailable))
        {
            // AuthorizeAsync reports denials, and Unavailable means that the control plane ended the stream.
            observers.Notify(o => o.Failed(node, call.Peer, new XdsFailure(e.StatusCode, e.Status.Detail)));
            throw;
        }
    }

    /// <returns>Null if the client ended the stream.</returns>
    private async Task<TRequest?> ReadFirstAsync<TRequest>(IAsyncStreamReader<TRequest> requests, CancellationToken cancellationToken)
        where TRequest : class
    {
        using var timeout = new CancellationTokenSource(options.Value.FirstRequestTimeout, cache.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await MoveNextAsync(requests, either.Token).ConfigureAwait(false) ? requests.Current : null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(
                new Status(
                    StatusCode.DeadlineExceeded,
                    $"No request within {options.Value.FirstRequestTimeout.TotalSeconds} s; "
                        + "send the first request when the stream is opened."
                )
            );
        }
    }

    private async Task<bool> MoveNextAsync<TRequest>(IAsyncStreamReader<TRequest> requests, CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
        {
            // gRPC's message contains neither the limit nor a remedy.
            throw new RpcException(
                new Status(
                    StatusCode.ResourceExhausted,
                    $"A request is larger than {options.Value.MaxRequestBytes} bytes; "
                        + "restart the proxy, whose first request is then smaller."
                )
            );
        }
    }

    private RpcException Invalid(string? node, ServerCallContext call, string problem)
    {
        var status = new Status(StatusCode.InvalidArgument, $"Invalid request: {problem}");
        observers.Notify(o => o.Failed(node, call.Peer, new XdsFailure(status.StatusCode, status.Detail)));
        return new RpcException(status);
    }

    private async Task<XdsStreamInfo> AuthorizeAsync<TRequest, TResponse>(
        IDiscoveryProtocol<TRequest, TResponse> protocol,
        TRequest first,
        ServerCallContext call
    )
        where TResponse : IMessage
    {
        var header = protocol.Header(first);
        var node = header.Node;
        if (string.IsNullOrEmpty(node))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "node.id is empty: the first request of a stream must set it."));
        }

        await AuthorizeAsync(node, call).ConfigureAwait(false);
        return new XdsStreamInfo(streams.NextId(), node, call.Peer, call.Method, protocol.Delta) { Pod = header.Pod };
    }

    private async Task AuthorizeAsync(string node, ServerCallContext call)
    {
        if (await authorizer.AuthorizeAsync(node, call).ConfigureAwait(false) is { } denial)
        {
            observers.Notify(o => o.Denied(node, call.Peer, denial));

            // A connection keeps the certificate with which it was opened. After it is closed, the client uses its current certificate for
            // the next one.
            call.GetHttpContext().Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            throw new RpcException(new Status(StatusCode.PermissionDenied, denial.Reason));
        }
    }

    private async Task ServeAsync<TRequest, TResponse>(
        IDiscoveryProtocol<TRequest, TResponse> protocol,
        XdsStreamInfo info,
        TRequest first,
        IAsyncStreamReader<TRequest> requests,
        IServerStreamWriter<TResponse> responses,
        ServerCallContext call,
        string? onlyType,
        CancellationTokenSource stop
    )
        where TRequest : class
        where TResponse : class, IMessage
    {
        var wake = new Signal();
        Action changed = wake.Set;
        var node = cache.Attach(info.Node, changed);
        using var stream = new DiscoveryStream<TRequest, TResponse>(
            protocol,
            info,
            onlyType,
            node,
            options.Value,
            observers,
            cache.Time,
            wake.Set
        );
        if (!streams.TryAdd(stream, options.Value.MaxStreamsPerNode))
        {
            cache.Detach(info.Node, changed);
            throw new RpcException(
                new Status(
                    StatusCode.ResourceExhausted,
                    $"Node {info.Node} has {options.Value.MaxStreamsPerNode} open streams, the maximum; close streams or run fewer proxies."
                )
            );
        }

        observers.Notify(o => o.StreamOpened(info));
        var ahead = Channel.CreateBounded<TRequest>(
            new BoundedChannelOptions(RequestsReadAhead) { SingleReader = true, SingleWriter = true }
        );
        var reading = ReadAsync(requests, ahead.Writer, wake, stop.Token);
        try
        {
            // Authorizes again, because XdsStreams.End does not end a stream that was not registered yet.
            await AuthorizeAsync(info.Node, call).ConfigureAwait(false);
            stream.HandleRequest(first);
            streams.Notify(info.Node);
            while (true)
            {
                while (ahead.Reader.TryRead(out var request))
                {
                    stream.HandleRequest(request);
                    streams.Notify(info.Node);
                }

                if (stream.Next(out var sent) is { } response)
                {
                    await responses.WriteAsync(response, stop.Token).ConfigureAwait(false);
                    sent();
                }
                else if (ahead.Reader.Completion.IsCompleted)
                {
                    await ahead.Reader.Completion.ConfigureAwait(false);
                    return;
                }
                else
                {
                    await wake.WaitAsync(stop.Token).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            cache.Detach(info.Node, changed);
            streams.Remove(stream);
            observers.Notify(o => o.StreamClosed(info));
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }
    }

    private async Task ReadAsync<TRequest>(
        IAsyncStreamReader<TRequest> requests,
        ChannelWriter<TRequest> ahead,
        Signal wake,
        CancellationToken cancellationToken
    )
    {
        Exception? failure = null;
        try
        {
            while (await MoveNextAsync(requests, cancellationToken).ConfigureAwait(false))
            {
                await ahead.WriteAsync(requests.Current, cancellationToken).ConfigureAwait(false);
                wake.Set();
            }
        }
#pragma warning disable CA1031 // Passed to the loop of the stream, which ends with it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }

        ahead.TryComplete(failure);
        wake.Set();
    }
}

/// <summary>An auto-reset event for one waiter.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _set = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    public void Set() => _set.Writer.TryWrite(true);

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _set.Reader.ReadAsync(cancellationToken);
}
