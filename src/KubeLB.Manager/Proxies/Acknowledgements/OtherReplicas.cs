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
/// Asks the other replicas of this manager what the proxies that are connected to them have acknowledged, over the port of their xDS
/// servers. Their addresses are the EndpointSlices of Service <c>envoycp</c>; both sides show the server's certificate.
/// </summary>
internal sealed class OtherReplicas(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    XdsCertificates certificates,
    XdsEndpoint own,
    ILogger<OtherReplicas> logger
) : IDisposable
{
    /// <summary>How long a replica waits for its proxies before it answers that they are pending.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private const string ServiceNameLabel = "kubernetes.io/service-name";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private readonly IInformer<V1EndpointSlice> _slices = management.Informer<V1EndpointSlice>();
    private readonly ConcurrentDictionary<IPEndPoint, bool> _unreached = new();

    // A pod's addresses do not change.
    private readonly Lazy<HashSet<IPAddress>> _local = new(static () =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)]
    );

    private readonly ConcurrentDictionary<(IPEndPoint Address, string? Certificate), GrpcChannel> _channels = new();

    /// <summary>
    /// Asks for the clients of a node that are connected to other replicas. A replica that does not answer counts as one without clients.
    /// </summary>
    /// <param name="node">The node id.</param>
    /// <param name="resources">The resources that it is about.</param>
    /// <param name="take">Takes each replica's answer when it comes, on any thread.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task AskAsync(
        string node,
        IReadOnlyList<XdsResourceVersion> resources,
        Action<IPEndPoint, IReadOnlyList<XdsClientAcknowledgement>> take,
        CancellationToken cancellationToken
    )
    {
        var request = new AcknowledgementsRequest { Node = node, WaitMilliseconds = (uint)Wait.TotalMilliseconds };
        request.Resources.AddRange(
            resources.Select(r => new ResourceVersion
            {
                TypeUrl = r.TypeUrl,
                Name = r.Name,
                Version = r.Version,
            })
        );
        var addresses = Addresses();
        Forget(addresses);
        return Task.WhenAll(
            addresses.Select(async address => take(address, await AskAsync(address, request, cancellationToken).ConfigureAwait(false)))
        );
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private async Task<IReadOnlyList<XdsClientAcknowledgement>> AskAsync(
        IPEndPoint address,
        AcknowledgementsRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var client = new ReplicaService.ReplicaServiceClient(Connect(address));
            var answer = await client
                .GetAcknowledgementsAsync(request, deadline: DateTime.UtcNow + Deadline, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            _unreached.TryRemove(address, out _);
            return [.. answer.Clients.Select(Read)];
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            // Disposed is a connection whose certificate was renewed, or whose replica is gone.
            if (_unreached.TryAdd(address, true))
            {
                Log.ReplicaNotReached(logger, address, e is RpcException rpc ? rpc.Status.Detail : e.Message);
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
                .Where(a => a.Port != own.Address?.Port || !local.Contains(a.Address)),
        ];
    }

    // A renewed certificate needs another connection.
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
                            ConnectTimeout = Deadline,
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

    private void Forget(List<IPEndPoint> present)
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
