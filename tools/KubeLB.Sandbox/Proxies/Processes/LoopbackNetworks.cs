using System.Net;
using k8s.Models;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>Without rights to make namespaces: a loopback address for each pod. Its processes must listen at this one only.</summary>
internal sealed class LoopbackNetworks(LoopbackAddresses addresses) : IPodNetworks
{
    /// <inheritdoc/>
    public bool AreIsolated => false;

    /// <inheritdoc/>
    public string Description => "each at a loopback address of its own";

    /// <inheritdoc/>
    public Task<IPodNetwork> CreateAsync(V1Pod pod, CancellationToken cancellationToken) =>
        Task.FromResult<IPodNetwork>(new Network(addresses, addresses.Take()));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Network(LoopbackAddresses addresses, IPAddress address) : IPodNetwork
    {
        public IPAddress Address => address;

        public IPAddress Loopback => address;

        public IReadOnlyList<string> Within => [];

        public ValueTask DisposeAsync()
        {
            addresses.Return(address);
            return ValueTask.CompletedTask;
        }
    }
}
