using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Service.Cluster.V3;
using Envoy.Service.Discovery.V3;
using Envoy.Service.Listener.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>
/// Proxies of the Go manager during a migration, with <c>--xds-insecure</c>: plain text, a stream for clusters and one for listeners, state
/// of the world, the node on the first message only, and no aggregated stream that a cluster could refer to.
/// </summary>
public sealed class GoProxyTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private BareManagement _bare = null!;
    private GrpcChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        var manager = await _bare.StartManagerAsync(insecure: true);
        await _bare.AddTenantAsync(manager);
        await _bare.SetAddressesAsync("10.7.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        _channel = GrpcChannel.ForAddress($"http://{manager.Services.GetRequiredService<XdsEndpoint>().Address}");
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _bare.DisposeAsync();
    }

    [Fact]
    public async Task Go_proxy_receives_clusters_with_inline_endpoints_listeners_and_changes()
    {
        using var clusters = new ClusterDiscoveryService.ClusterDiscoveryServiceClient(_channel).StreamClusters(
            deadline: DateTime.UtcNow.AddSeconds(60)
        );
        using var listeners = new ListenerDiscoveryService.ListenerDiscoveryServiceClient(_channel).StreamListeners(
            deadline: DateTime.UtcNow.AddSeconds(60)
        );
        await AskAsync(clusters, ResourceTypes.Cluster);
        await AskAsync(listeners, ResourceTypes.Listener);

        var first = await WaitAsync(clusters, r => r.Resources.Count == 1);
        EndpointsOf(first).Should().Equal("10.7.0.1");
        (await WaitAsync(listeners, r => r.Resources.Count == 1))
            .Resources.Single()
            .Unpack<Listener>()
            .Name.Should()
            .Be("default-web-web-80-TCP");

        await _bare.SetAddressesAsync("10.7.0.1", "10.7.0.2");
        EndpointsOf(await WaitAsync(clusters, r => EndpointsOf(r).Count == 2)).Should().Equal("10.7.0.1", "10.7.0.2");

        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "second"));
        await WaitAsync(clusters, r => r.Resources.Count == 2);
        await WaitAsync(listeners, r => r.Resources.Count == 2);
    }

    private static Task AskAsync(AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse> stream, string typeUrl) =>
        stream.RequestStream.WriteAsync(
            new DiscoveryRequest
            {
                Node = new Node { Id = TenantNamespace },
                TypeUrl = typeUrl,
            }
        );

    // Acknowledges responses until one matches; the deadline of the stream ends the wait.
    private static async Task<DiscoveryResponse> WaitAsync(
        AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse> stream,
        Func<DiscoveryResponse, bool> condition
    )
    {
        while (await stream.ResponseStream.MoveNext(default))
        {
            var response = stream.ResponseStream.Current;
            await stream.RequestStream.WriteAsync(
                new DiscoveryRequest
                {
                    TypeUrl = response.TypeUrl,
                    VersionInfo = response.VersionInfo,
                    ResponseNonce = response.Nonce,
                }
            );
            if (condition(response))
            {
                return response;
            }
        }

        throw new InvalidOperationException("The manager ended the stream.");
    }

    private static IReadOnlyList<string> EndpointsOf(DiscoveryResponse response)
    {
        var cluster = response.Resources.Single().Unpack<Cluster>();
        cluster.Type.Should().Be(Cluster.Types.DiscoveryType.Static);
        cluster.EdsClusterConfig.Should().BeNull("Envoy rejects a reference to an aggregated stream that it does not have");
        return [.. cluster.LoadAssignment.Endpoints.Single().LbEndpoints.Select(e => e.Endpoint.Address.SocketAddress.Address)];
    }
}
