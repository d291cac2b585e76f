using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using KubeLB.Runtime.Storing;
using KubeLB.Xds.Discovery;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// The xDS streams of the proxy pods. One stand-in serves a tenant's traffic, for any number of pods, but a manager waits for all Ready
/// pods to acknowledge a backend before routes reference it.
/// </summary>
internal sealed class PodStreams(IPEndPoint server, string serverName, ProxyPods pods)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Maintains a stream for each pod until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var open = new Dictionary<ResourceKey, (CancellationTokenSource Stop, Task Running)>();
        try
        {
            await foreach (var present in pods.WatchPodsAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var pod in open.Keys.Except(present).ToList())
                {
                    await EndAsync(pod).ConfigureAwait(false);
                }

                foreach (var pod in present.Where(pod => !open.ContainsKey(pod)))
                {
                    var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    open[pod] = (stop, AcknowledgeAsync(pod, stop.Token));
                }
            }
        }
        catch (OperationCanceledException) { }

        foreach (var pod in open.Keys.ToList())
        {
            await EndAsync(pod).ConfigureAwait(false);
        }

        async Task EndAsync(ResourceKey pod)
        {
            if (open.Remove(pod, out var stream))
            {
                await stream.Stop.CancelAsync().ConfigureAwait(false);
                await stream.Running.ConfigureAwait(false);
                stream.Stop.Dispose();
            }
        }
    }

    private async Task AcknowledgeAsync(ResourceKey pod, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await StreamAsync(pod, cancellationToken).ConfigureAwait(false);
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) { }
            catch (Exception e) when (e is RpcException or InvalidOperationException)
            {
                // The stand-in that serves traffic logs the error.
                await Task.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task StreamAsync(ResourceKey pod, CancellationToken cancellationToken)
    {
        using var channel = ProxyCredential.Connect(server, serverName, pods.CredentialOf(pod.Namespace));
        using var call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
            cancellationToken: cancellationToken
        );
        var node = new Node
        {
            Id = pod.Namespace,
            Metadata = new Struct { Fields = { [XdsStreamInfo.PodMetadata] = Value.ForString(pod.Name) } },
        };
        foreach (var typeUrl in new[] { XdsSource.Clusters, XdsSource.Endpoints, XdsSource.Listeners })
        {
            await call
                .RequestStream.WriteAsync(
                    new DeltaDiscoveryRequest
                    {
                        Node = node,
                        TypeUrl = typeUrl,
                        ResourceNamesSubscribe = { "*" },
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var response = call.ResponseStream.Current;
            await call
                .RequestStream.WriteAsync(
                    new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce },
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }
}
