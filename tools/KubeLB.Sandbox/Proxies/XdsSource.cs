using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// The configuration of the proxies from the manager, over mutual TLS, by incremental aggregated discovery, as in Envoy.
/// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
/// </summary>
/// <param name="server">The xDS end point of the manager.</param>
/// <param name="serverName">Server name in its certificate.</param>
/// <param name="pods">The proxies and their certificates.</param>
/// <param name="states">The states of the proxies, kept across sources.</param>
/// <param name="logger">The logger.</param>
internal sealed class XdsSource(
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

    private readonly ConcurrentDictionary<string, string> _errors = new(StringComparer.Ordinal);

    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var nodes in pods.WatchNodesAsync(cancellationToken).ConfigureAwait(false))
        {
            // A new pod has no state of an earlier one.
            foreach (var gone in states.Keys.Except(nodes).ToList())
            {
                states.TryRemove(gone, out _);
            }

            yield return nodes;
        }
    }

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

                    // As in Envoy, a listener is open when it is acknowledged.
                    isOpen = await TryAsync(node, () => RespondAsync(call, state, subscribed, unanswered)).ConfigureAwait(false);
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

    private static async Task<bool> RespondAsync(
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
        var desired = state.ReferencedEndpoints;
        var request = new DeltaDiscoveryRequest { TypeUrl = Endpoints };
        request.ResourceNamesSubscribe.AddRange(desired.Except(subscribed));
        request.ResourceNamesUnsubscribe.AddRange(subscribed.Except(desired));
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            subscribed.Remove(name);
            state.Forget(name);
        }

        subscribed.UnionWith(desired);
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
            // Logged once per error, not per attempt.
            var error = e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message;
            if (_errors.TryGetValue(node, out var previous) is false || previous != error)
            {
                _errors[node] = error;
                Log.XdsStreamFailed(logger, node, server, error);
            }

            return false;
        }
    }
}
