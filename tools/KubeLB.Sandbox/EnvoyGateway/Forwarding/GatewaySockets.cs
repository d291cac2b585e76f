using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>The desired state of a Gateway port.</summary>
/// <param name="Port">The port.</param>
/// <param name="IsHttps">Whether the port serves TLS.</param>
/// <param name="Routes">The routes.</param>
/// <param name="Certificates">Certificates by hostname of the listener.</param>
internal sealed record PortPlan(
    int Port,
    bool IsHttps,
    RouteTable Routes,
    IReadOnlyList<(string Hostname, X509Certificate2 Certificate)> Certificates
)
{
    /// <summary>Why Envoy rejects the routes; null if it accepts them. The last accepted routes of the port are then served.</summary>
    public string? Rejection { get; init; }
}

/// <summary>
/// The sockets of all Gateways. Each Gateway has its own loopback address, so that several can have the same port; a port that cannot be
/// bound is remapped to another port of that address.
/// </summary>
/// <param name="httpServer">The server of the ports.</param>
/// <param name="addresses">Allocates the addresses.</param>
/// <param name="maxPorts">The maximum number of ports of the Gateways of a namespace together.</param>
internal sealed class GatewaySockets(HttpServer httpServer, LoopbackAddresses addresses, int maxPorts = GatewaySockets.MaxPorts)
    : IAsyncDisposable
{
    /// <summary>
    /// The default maximum of ports: all tenants share the file descriptors of the sandbox. A Gateway has up to 64 listeners.
    /// </summary>
    public const int MaxPorts = 640;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<ResourceKey, OpenGateway> _gateways = new();

    /// <summary>The Gateway's address; null if it is not served.</summary>
    public IPAddress? AddressOf(ResourceKey gateway) => _gateways.TryGetValue(gateway, out var open) ? open.Address : null;

    /// <summary>The end point that serves a Gateway's port; null if it is not served.</summary>
    public IPEndPoint? Resolve(ResourceKey gateway, int port) =>
        _gateways.TryGetValue(gateway, out var open) && open.Ports.TryGetValue(port, out var listener) ? listener.LocalEndPoint : null;

    /// <summary>The end point that serves a port of a Gateway's address; null if it is not served.</summary>
    public IPEndPoint? Resolve(IPAddress address, int port) =>
        _gateways.Where(g => g.Value.Address.Equals(address)).Select(g => Resolve(g.Key, port)).FirstOrDefault(e => e is not null);

    /// <summary>Opens, updates and closes ports to match the plans. Calls for one Gateway must not overlap.</summary>
    /// <returns>
    /// The Gateway's address and the remapped ports. No address, and no open port, if the ports of the namespace would exceed the limit.
    /// </returns>
    public async Task<(IPAddress? Address, IReadOnlyDictionary<int, IPEndPoint> Remapped)> ApplyAsync(
        ResourceKey gateway,
        IReadOnlyList<PortPlan> plans
    )
    {
        if (Reserve(gateway, plans.Select(p => p.Port).Distinct().Count()) is not { } state)
        {
            await RemoveAsync(gateway).ConfigureAwait(false);
            return (null, new Dictionary<int, IPEndPoint>());
        }

        foreach (var (port, listener) in state.Ports)
        {
            if (!plans.Any(p => p.Port == port && p.IsHttps == ((GatewayPort)listener.Owner).IsHttps))
            {
                state.Ports.TryRemove(port, out _);
                await listener.DisposeAsync().ConfigureAwait(false);
            }
        }

        foreach (var plan in plans)
        {
            if (!state.Ports.TryGetValue(plan.Port, out var listener))
            {
                var owner = new GatewayPort(gateway, plan.Port, plan.IsHttps);
                var at = ListeningSocket.Choose(new IPEndPoint(state.Address, plan.Port));
                listener = await httpServer
                    .ListenAsync(at, owner, plan.IsHttps ? new ListenerTls(owner.Certificates.Find) : null)
                    .ConfigureAwait(false);
                state.Ports[plan.Port] = listener;
            }

            var served = (GatewayPort)listener.Owner;
            served.Certificates.Set(plan.Certificates);
            if (plan.Rejection is null)
            {
                served.Routes = plan.Routes;
            }
        }

        return (
            state.Address,
            state.Ports.Where(p => p.Value.LocalEndPoint.Port != p.Key).ToDictionary(p => p.Key, p => p.Value.LocalEndPoint)
        );
    }

    /// <returns>Null if the ports of the namespace would exceed the limit.</returns>
    private OpenGateway? Reserve(ResourceKey gateway, int ports)
    {
        lock (_gate)
        {
            if (
                _gateways.Where(g => g.Key.Namespace == gateway.Namespace && g.Key != gateway).Sum(g => g.Value.Reserved) + ports
                > maxPorts
            )
            {
                return null;
            }

            var state = _gateways.GetOrAdd(gateway, _ => new OpenGateway(addresses.Take()));
            state.Reserved = ports;
            return state;
        }
    }

    /// <summary>Closes all ports of a Gateway and releases its address.</summary>
    public async Task RemoveAsync(ResourceKey gateway)
    {
        if (_gateways.TryRemove(gateway, out var state))
        {
            foreach (var listener in state.Ports.Values)
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }

            addresses.Return(state.Address);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways.Keys)
        {
            await RemoveAsync(gateway).ConfigureAwait(false);
        }
    }

    private sealed record OpenGateway(IPAddress Address)
    {
        public ConcurrentDictionary<int, HttpServerListener> Ports { get; } = new();

        /// <summary>The number of ports that it may open.</summary>
        public int Reserved { get; set; }
    }
}

/// <summary>A port of a Gateway: the owner of its socket. Its routes are replaced atomically.</summary>
internal sealed class GatewayPort(ResourceKey gateway, int port, bool isHttps)
{
    private RouteTable _routes = RouteTable.Empty;

    /// <summary>The Gateway.</summary>
    public ResourceKey Gateway => gateway;

    /// <summary>Port of the listeners; differs from the port of the socket if it is remapped.</summary>
    public int Port => port;

    /// <summary>Whether the port serves TLS.</summary>
    public bool IsHttps => isHttps;

    /// <summary>The current routes.</summary>
    public RouteTable Routes
    {
        get => Volatile.Read(ref _routes);
        set => Volatile.Write(ref _routes, value);
    }

    /// <summary>Certificates of an HTTPS port by hostname of the listener.</summary>
    public CertificateTable Certificates { get; } = new();
}

/// <summary>The certificates of a port by server name (SNI).</summary>
internal sealed class CertificateTable
{
    private IReadOnlyList<(string Hostname, X509Certificate2 Certificate)> _certificates = [];

    /// <summary>Replaces all certificates.</summary>
    public void Set(IEnumerable<(string Hostname, X509Certificate2 Certificate)> certificates) =>
        Volatile.Write(
            ref _certificates,
            [.. certificates.OrderBy(c => c.Hostname, Comparer<string>.Create(Hostnames.CompareSpecificity))]
        );

    /// <summary>The certificate of the most specific listener for a server name; null if there is none.</summary>
    public X509Certificate2? Find(string? serverName)
    {
        // Without SNI any certificate is valid.
        var certificates = Volatile.Read(ref _certificates);
        return string.IsNullOrEmpty(serverName)
            ? (certificates.Count == 0 ? null : certificates[^1].Certificate)
            : certificates.FirstOrDefault(c => Hostnames.Matches(c.Hostname, serverName)).Certificate;
    }

    /// <summary>Reads a certificate and key from the data of a Secret; null if invalid.</summary>
    public static X509Certificate2? Read(IDictionary<string, byte[]>? data)
    {
        if (data is null || !data.TryGetValue("tls.crt", out var certificate) || !data.TryGetValue("tls.key", out var key))
        {
            return null;
        }

        try
        {
            var text = System.Text.Encoding.UTF8;
            using var pair = X509Certificate2.CreateFromPem(text.GetString(certificate), text.GetString(key));

            // Some platforms do not support TLS with ephemeral keys.
            return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
