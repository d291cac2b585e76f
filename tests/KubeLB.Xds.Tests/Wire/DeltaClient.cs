using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Tests.Shared;
using static Envoy.Service.Discovery.V3.AggregatedDiscoveryService;

namespace KubeLB.Xds.Tests.Wire;

/// <summary>An incremental client that a test controls step by step.</summary>
public sealed class DeltaClient : IDisposable
{
    private readonly AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> _call;
    private readonly string _node;
    private bool _saidNode;

    public DeltaClient(
        GrpcChannel channel,
        string node = "n",
        Func<GrpcChannel, AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>>? open = null
    )
    {
        _node = node;
        _call = open is null ? new AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources() : open(channel);
    }

    public AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Call => _call;

    public Task SendAsync(
        string typeUrl,
        IEnumerable<string>? subscribe = null,
        IEnumerable<string>? unsubscribe = null,
        IReadOnlyDictionary<string, string>? has = null,
        string nonce = "",
        string? error = null
    )
    {
        var request = new DeltaDiscoveryRequest { TypeUrl = typeUrl, ResponseNonce = nonce };
        request.ResourceNamesSubscribe.AddRange(subscribe ?? []);
        request.ResourceNamesUnsubscribe.AddRange(unsubscribe ?? []);
        foreach (var (name, version) in has ?? new Dictionary<string, string>())
        {
            request.InitialResourceVersions[name] = version;
        }

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

    public Task AckAsync(DeltaDiscoveryResponse response) => SendAsync(response.TypeUrl, nonce: response.Nonce);

    public Task NackAsync(DeltaDiscoveryResponse response, string error) =>
        SendAsync(response.TypeUrl, nonce: response.Nonce, error: error);

    public async Task<DeltaDiscoveryResponse> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(Eventually.Deadline);
        (await _call.ResponseStream.MoveNext(patience.Token)).Should().BeTrue("the server is expected to answer");
        return _call.ResponseStream.Current;
    }

    /// <summary>Receives and takes.</summary>
    public async Task<DeltaDiscoveryResponse> TakeAsync()
    {
        var response = await ReceiveAsync();
        await AckAsync(response);
        return response;
    }

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
