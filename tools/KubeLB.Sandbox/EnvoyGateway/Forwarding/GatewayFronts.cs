using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>What one port of a Gateway should serve.</summary>
/// <param name="Port">The port.</param>
/// <param name="IsHttps">Whether clients speak TLS.</param>
/// <param name="Routes">The routes.</param>
/// <param name="Certificates">Certificates by host name of the listener.</param>
internal sealed record PortPlan(
    int Port,
    bool IsHttps,
    RouteTable Routes,
    IReadOnlyList<(string Hostname, X509Certificate2 Certificate)> Certificates
);

/// <summary>
/// The sockets of all Gateways. Each Gateway has a loopback address of its own, so that several can have the same port; a port that
/// cannot be bound is served at another one of that address.
/// </summary>
internal sealed class GatewayFronts(HttpFront front, LoopbackAddresses addresses) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ResourceKey, Front> _gateways = new();

    /// <summary>The Gateway's address; null if nothing listens for it.</summary>
    public IPAddress? AddressOf(ResourceKey gateway) => _gateways.TryGetValue(gateway, out var front) ? front.Address : null;

    /// <summary>Where a Gateway's port really is; null if it is not served.</summary>
    public IPEndPoint? Resolve(ResourceKey gateway, int port) =>
        _gateways.TryGetValue(gateway, out var front) && front.Ports.TryGetValue(port, out var listener) ? listener.LocalEndPoint : null;

    /// <summary>Where a port of a Gateway's address really is; null if it is not served.</summary>
    public IPEndPoint? Resolve(IPAddress address, int port) =>
        _gateways.Where(g => g.Value.Address.Equals(address)).Select(g => Resolve(g.Key, port)).FirstOrDefault(e => e is not null);

    /// <summary>Opens, changes and closes ports until they are as planned. Calls for one Gateway must not overlap.</summary>
    /// <returns>The Gateway's address and the ports that are served elsewhere than planned.</returns>
    public async Task<(IPAddress Address, IReadOnlyDictionary<int, IPEndPoint> Moved)> ApplyAsync(
        ResourceKey gateway,
        IReadOnlyList<PortPlan> plans
    )
    {
        var state = _gateways.GetOrAdd(gateway, _ => new Front(addresses.Take()));
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
                listener = await front
                    .ListenAsync(at, owner, plan.IsHttps ? new FrontTls(owner.Certificates.Find) : null)
                    .ConfigureAwait(false);
                state.Ports[plan.Port] = listener;
            }

            var served = (GatewayPort)listener.Owner;
            served.Certificates.Set(plan.Certificates);
            served.Routes = plan.Routes;
        }

        return (
            state.Address,
            state.Ports.Where(p => p.Value.LocalEndPoint.Port != p.Key).ToDictionary(p => p.Key, p => p.Value.LocalEndPoint)
        );
    }

    /// <summary>Closes all ports of a Gateway and gives its address back.</summary>
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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways.Keys)
        {
            await RemoveAsync(gateway).ConfigureAwait(false);
        }
    }

    private sealed record Front(IPAddress Address)
    {
        public ConcurrentDictionary<int, FrontListener> Ports { get; } = new();
    }
}
