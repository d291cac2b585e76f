using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Xds.Discovery;

namespace KubeLB.EndToEnd.Support;

/// <summary>An incremental aggregated stream on which a test acknowledges and rejects responses.</summary>
public sealed class RawProxy : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly GrpcChannel _channel;
    private readonly Node _node;
    private readonly AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> _call;

    /// <summary>Connects.</summary>
    /// <param name="server">Where a manager serves xDS.</param>
    /// <param name="node">The node id to claim.</param>
    /// <param name="certificate">The client's certificate; null for plain text.</param>
    /// <param name="pod">The pod name that it claims; null for none.</param>
    public RawProxy(IPEndPoint server, string node, X509Certificate2? certificate, string? pod = null)
    {
        _node = new Node { Id = node };
        if (pod is not null)
        {
            _node.Metadata = new Struct { Fields = { [XdsStreamInfo.PodMetadata] = Value.ForString(pod) } };
        }

        _channel = Channel(server, certificate);
        _call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(_channel).DeltaAggregatedResources(
            deadline: DateTime.UtcNow + TimeSpan.FromMinutes(2)
        );
    }

    /// <summary>A connection to a manager with a client's certificate; null for plain text.</summary>
    public static GrpcChannel Channel(IPEndPoint server, X509Certificate2? certificate) =>
        GrpcChannel.ForAddress(
            $"{(certificate is null ? "http" : "https")}://{server}",
            new GrpcChannelOptions
            {
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new System.Net.Security.SslClientAuthenticationOptions
                    {
                        ClientCertificates = certificate is null ? null : [certificate],
                        RemoteCertificateValidationCallback = (_, shown, _, _) =>
                            shown is X509Certificate2 manager && manager.MatchesHostname("envoycp.kubelb.svc"),
                    },
                },
            }
        );

    /// <summary>Asks for all resources of a type.</summary>
    public Task SubscribeAsync(string typeUrl, params string[] names)
    {
        var request = new DeltaDiscoveryRequest { Node = _node, TypeUrl = typeUrl };
        request.ResourceNamesSubscribe.AddRange(names.Length == 0 ? ["*"] : names);
        return _call.RequestStream.WriteAsync(request);
    }

    /// <summary>The next response, unanswered.</summary>
    public async Task<DeltaDiscoveryResponse> ReceiveAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        (await _call.ResponseStream.MoveNext(deadline.Token)).Should().BeTrue("the manager is expected to answer");
        return _call.ResponseStream.Current;
    }

    /// <summary>Acknowledges a response.</summary>
    public Task AckAsync(DeltaDiscoveryResponse response) =>
        _call.RequestStream.WriteAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });

    /// <summary>Rejects a response.</summary>
    public Task NackAsync(DeltaDiscoveryResponse response, string message) =>
        _call.RequestStream.WriteAsync(
            new DeltaDiscoveryRequest
            {
                TypeUrl = response.TypeUrl,
                ResponseNonce = response.Nonce,
                ErrorDetail = new Google.Rpc.Status { Code = 13, Message = message },
            }
        );

    /// <summary>The status that the manager ends the stream with.</summary>
    public async Task<RpcException> EndAsync() => (await FluentActions.Awaiting(ReceiveAsync).Should().ThrowAsync<RpcException>()).Which;

    public void Dispose()
    {
        _call.Dispose();
        _channel.Dispose();
    }
}
