using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies.Xds;

/// <summary>
/// The proxies' configuration as Envoy gets it: from the manager, over mutual TLS, by incremental aggregated discovery.
/// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
/// </summary>
/// <param name="server">Where the manager serves xDS.</param>
/// <param name="serverName">What its certificate calls it.</param>
/// <param name="pods">The proxies that there are, and their certificates.</param>
/// <param name="states">What the proxies have; it outlives this.</param>
/// <param name="logger">Takes what goes wrong.</param>
internal sealed partial class XdsSource(
    IPEndPoint server,
    string serverName,
    ProxyPods pods,
    ConcurrentDictionary<string, ProxyState> states,
    ILogger logger
) : IProxyConfigurationSource
{
    /// <summary>Type of listeners.</summary>
    public const string Listeners = ResourceTypes.Listener;

    /// <summary>Type of clusters.</summary>
    public const string Clusters = ResourceTypes.Cluster;

    /// <summary>Type of endpoints.</summary>
    public const string Endpoints = ResourceTypes.ClusterLoadAssignment;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<string, string> _troubles = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var nodes in pods.WatchNodesAsync(cancellationToken).ConfigureAwait(false))
        {
            // A new pod knows nothing of what an earlier one had.
            foreach (var gone in states.Keys.Except(nodes).ToList())
            {
                states.TryRemove(gone, out _);
            }

            yield return nodes;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Snapshot> WatchAsync(string node, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var state = states.GetOrAdd(node, static _ => new ProxyState());
        while (!cancellationToken.IsCancellationRequested)
        {
            using var channel = ProxyCredential.Connect(server, serverName, pods.CredentialOf(node));
            using var call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
                cancellationToken: cancellationToken
            );
            var subscribed = new HashSet<string>(StringComparer.Ordinal);
            var unanswered = new Queue<string>();
            var isOpen = await TryAsync(node, () => SubscribeAsync(call, node, state, subscribed)).ConfigureAwait(false);
            while (isOpen)
            {
                isOpen = await TryAsync(node, () => call.ResponseStream.MoveNext(cancellationToken)).ConfigureAwait(false);
                if (isOpen)
                {
                    state.Take(call.ResponseStream.Current);
                    yield return state.Describe();

                    // As Envoy, which has opened a listener when it acknowledges it.
                    isOpen = await TryAsync(node, () => AnswerAsync(call, state, subscribed, unanswered)).ConfigureAwait(false);
                }
            }

            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<bool> SubscribeAsync(
        AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call,
        string node,
        ProxyState state,
        HashSet<string> subscribed
    )
    {
        state.Reconnect();
        foreach (var typeUrl in new[] { Clusters, Listeners })
        {
            var request = new DeltaDiscoveryRequest
            {
                Node = new Node { Id = node, Cluster = node },
                TypeUrl = typeUrl,
                ResourceNamesSubscribe = { "*" },
            };
            foreach (var (name, version) in state.Versions(typeUrl))
            {
                request.InitialResourceVersions[name] = version;
            }

            await call.RequestStream.WriteAsync(request).ConfigureAwait(false);
        }

        await SubscribeToEndpointsAsync(call, state, subscribed, isFirst: true).ConfigureAwait(false);
        return true;
    }

    private static async Task<bool> AnswerAsync(
        AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call,
        ProxyState state,
        HashSet<string> subscribed,
        Queue<string> unanswered
    )
    {
        var response = call.ResponseStream.Current;
        if (response.TypeUrl == Clusters)
        {
            await SubscribeToEndpointsAsync(call, state, subscribed, isFirst: false).ConfigureAwait(false);
            unanswered.Enqueue(response.Nonce);
        }
        else
        {
            await call
                .RequestStream.WriteAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce })
                .ConfigureAwait(false);
        }

        while (!state.IsWarming && unanswered.TryDequeue(out var nonce))
        {
            await call
                .RequestStream.WriteAsync(new DeltaDiscoveryRequest { TypeUrl = Clusters, ResponseNonce = nonce })
                .ConfigureAwait(false);
        }

        return true;
    }

    private static async Task SubscribeToEndpointsAsync(
        AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call,
        ProxyState state,
        HashSet<string> subscribed,
        bool isFirst
    )
    {
        var wanted = state.WantedEndpoints;
        var request = new DeltaDiscoveryRequest { TypeUrl = Endpoints };
        request.ResourceNamesSubscribe.AddRange(wanted.Except(subscribed));
        request.ResourceNamesUnsubscribe.AddRange(subscribed.Except(wanted));
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            subscribed.Remove(name);
            state.Forget(name);
        }

        subscribed.UnionWith(wanted);
        if (request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count == 0)
        {
            return;
        }

        if (isFirst)
        {
            foreach (var (name, version) in state.Versions(Endpoints))
            {
                request.InitialResourceVersions[name] = version;
            }
        }

        await call.RequestStream.WriteAsync(request).ConfigureAwait(false);
    }

    private async Task<bool> TryAsync(string node, Func<Task<bool>> step)
    {
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Cancelled)
        {
            return false;
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // Once for each trouble, not for each attempt.
            var trouble = e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message;
            if (_troubles.TryGetValue(node, out var told) is false || told != trouble)
            {
                _troubles[node] = trouble;
                LogLost(logger, node, server, trouble);
            }

            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Proxy {Node}: no configuration from {Server}: {Reason}")]
    private static partial void LogLost(ILogger logger, string node, IPEndPoint server, string reason);
}
