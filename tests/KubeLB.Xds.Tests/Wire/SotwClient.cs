using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Tests.Shared;
using static Envoy.Service.Discovery.V3.AggregatedDiscoveryService;

namespace KubeLB.Xds.Tests.Wire;

/// <summary>A state-of-the-world client that a test controls step by step.</summary>
public sealed class SotwClient : IDisposable
{
    private readonly AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse> _call;
    private readonly string _node;
    private bool _saidNode;

    public SotwClient(
        GrpcChannel channel,
        string node = "n",
        Func<GrpcChannel, AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse>>? open = null
    )
    {
        _node = node;
        _call = open is null ? new AggregatedDiscoveryServiceClient(channel).StreamAggregatedResources() : open(channel);
    }

    public AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse> Call => _call;

    public Task SendAsync(string typeUrl, IEnumerable<string>? names = null, string version = "", string nonce = "", string? error = null)
    {
        var request = new DiscoveryRequest
        {
            TypeUrl = typeUrl,
            VersionInfo = version,
            ResponseNonce = nonce,
        };
        request.ResourceNames.AddRange(names ?? []);
        if (!_saidNode)
        {
            request.Node = new Node { Id = _node };
            _saidNode = true;
        }

        if (error is not null)
        {
            request.ErrorDetail = new Google.Rpc.Status { Code = 3, Message = error };
        }

        // The client can lose a write whose stream the server ends.
        return _call.RequestStream.WriteAsync(request).WaitAsync(Eventually.Deadline);
    }

    public Task AckAsync(DiscoveryResponse response, params string[] names) =>
        SendAsync(response.TypeUrl, names, response.VersionInfo, response.Nonce);

    public async Task<DiscoveryResponse> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(Eventually.Deadline);
        (await _call.ResponseStream.MoveNext(patience.Token)).Should().BeTrue("the server is expected to answer");
        return _call.ResponseStream.Current;
    }

    /// <summary>The status that the server ends the stream with.</summary>
    public async Task<RpcException> EndAsync()
    {
        var reading = async () =>
        {
            using var patience = new CancellationTokenSource(Eventually.Deadline);
            while (await _call.ResponseStream.MoveNext(patience.Token)) { }
        };
        return (await reading.Should().ThrowAsync<RpcException>()).Which;
    }

    public void Dispose() => _call.Dispose();
}
