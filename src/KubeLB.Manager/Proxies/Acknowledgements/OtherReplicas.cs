using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using k8s.Models;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Acknowledgements;

/// <summary>
/// Requests the acknowledgements of proxies from the other replicas of this manager, at the port of the xDS server. The addresses are in
/// the EndpointSlices of Service <c>envoycp</c>; both sides authenticate with the server's certificate.
/// </summary>
internal sealed class OtherReplicas(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    XdsCertificates certificates,
    XdsEndpoint ownEndpoint,
    ILogger<OtherReplicas> logger
) : IDisposable
{
    /// <summary>How long a replica waits for its proxies before it responds that they are pending.</summary>
    public static readonly TimeSpan PendingTimeout = TimeSpan.FromSeconds(1);

    private const string ServiceNameLabel = "kubernetes.io/service-name";

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(2);

    private readonly IInformer<V1EndpointSlice> _slices = management.Informer<V1EndpointSlice>();
    private readonly ConcurrentDictionary<IPEndPoint, bool> _unavailable = new();

    // The addresses of a pod do not change.
    private readonly Lazy<HashSet<IPAddress>> _local = new(static () =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)]
    );

    private readonly ConcurrentDictionary<(IPEndPoint Address, string? Certificate), GrpcChannel> _channels = new();

    /// <summary>
    /// Requests the state of a node's clients from all other replicas. A replica that does not respond is treated as one without clients.
    /// </summary>
    /// <param name="node">The node id.</param>
    /// <param name="resources">The resources that must be acknowledged.</param>
    /// <param name="onResponse">Receives each replica's response, on any thread.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public Task RequestAsync(
        string node,
        IReadOnlyList<XdsResourceVersion> resources,
        Action<IPEndPoint, IReadOnlyList<XdsClientAcknowledgement>> onResponse,
        CancellationToken cancellationToken
    )
    {
        var request = new AcknowledgementsRequest { Node = node, WaitMilliseconds = (uint)PendingTimeout.TotalMilliseconds };
        request.Resources.AddRange(
            resources.Select(r => new ResourceVersion
            {
                TypeUrl = r.TypeUrl,
                Name = r.Name,
                Version = r.Version,
            })
        );
        var addresses = Addresses();
        RemoveOldChannels(addresses);
        return Task.WhenAll(
            addresses.Select(async address =>
                onResponse(address, await RequestAsync(address, request, cancellationToken).ConfigureAwait(false))
            )
        );
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private async Task<IReadOnlyList<XdsClientAcknowledgement>> RequestAsync(
        IPEndPoint address,
        AcknowledgementsRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var client = new ReplicaService.ReplicaServiceClient(Connect(address));
            var response = await client
                .GetAcknowledgementsAsync(request, deadline: DateTime.UtcNow + RequestTimeout, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            _unavailable.TryRemove(address, out _);
            return [.. response.Clients.Select(Read)];
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            // The channel is disposed if the certificate was renewed or the replica was deleted.
            if (_unavailable.TryAdd(address, true))
            {
                Log.ReplicaUnavailable(logger, address, e is RpcException rpc ? rpc.Status.Detail : e.Message);
            }

            return [];
        }
    }

    private static XdsClientAcknowledgement Read(ClientAcknowledgement client) =>
        new(
            client.Pod.Length > 0 ? client.Pod : null,
            client.Host,
            client.State switch
            {
                ClientAcknowledgement.Types.State.Acknowledged => XdsAcknowledgementState.Acknowledged,
                ClientAcknowledgement.Types.State.Rejected => XdsAcknowledgementState.Rejected,
                _ => XdsAcknowledgementState.Pending,
            },
            client.State == ClientAcknowledgement.Types.State.Rejected ? new XdsClientRejection(client.TypeUrl, client.Message) : null
        );

    private List<IPEndPoint> Addresses()
    {
        var local = _local.Value;
        return
        [
            .. (
                from slice in _slices.List()
                where slice.Namespace() == options.Namespace && slice.GetLabel(ServiceNameLabel) == CertificateSecrets.ServiceObject
                from port in slice.Ports ?? []
                from endpoint in slice.Endpoints ?? []
                from text in endpoint.Addresses ?? []
                let address = IPAddress.TryParse(text, out var parsed) ? parsed : null
                let number = port.Port ?? 0
                where address is not null && number > 0
                select new IPEndPoint(address, number)
            )
                .Distinct()
                .Where(a => a.Port != ownEndpoint.Address?.Port || !local.Contains(a.Address)),
        ];
    }

    // A renewed certificate needs a new connection.
    private GrpcChannel Connect(IPEndPoint address)
    {
        var certificate = options.XdsInsecure ? null : certificates.Server;
        return _channels.GetOrAdd(
            (address, certificate?.Thumbprint),
            key =>
                GrpcChannel.ForAddress(
                    $"{(options.XdsInsecure ? "http" : "https")}://{key.Address}",
                    new GrpcChannelOptions
                    {
                        DisposeHttpClient = true,
                        HttpHandler = new SocketsHttpHandler
                        {
                            ConnectTimeout = RequestTimeout,
                            UseProxy = false,
                            SslOptions = new SslClientAuthenticationOptions
                            {
                                ClientCertificates = certificate is null ? null : [certificate],
                                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                                    shown is X509Certificate2 server && certificates.IsReplica(server),
                            },
                        },
                    }
                )
        );
    }

    private void RemoveOldChannels(List<IPEndPoint> present)
    {
        var certificate = options.XdsInsecure ? null : certificates.Server?.Thumbprint;
        foreach (var key in _channels.Keys.Where(k => k.Certificate != certificate || !present.Contains(k.Address)))
        {
            if (_channels.TryRemove(key, out var channel))
            {
                channel.Dispose();
            }
        }
    }
}
