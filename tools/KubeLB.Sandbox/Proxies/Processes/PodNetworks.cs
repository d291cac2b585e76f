using System.Net;
using k8s.Models;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The network of one pod, with a unique address.</summary>
internal interface IPodNetwork : IAsyncDisposable
{
    /// <summary>The pod's address.</summary>
    IPAddress Address { get; }

    /// <summary>Loopback address of the pod.</summary>
    IPAddress Loopback { get; }

    /// <summary>Command prefix that runs a command in this network.</summary>
    IReadOnlyList<string> Within { get; }
}

/// <summary>Creates pod networks.</summary>
internal interface IPodNetworks : IAsyncDisposable
{
    /// <summary>Whether a pod has its own interfaces, so that its processes can listen on all of them as in a cluster.</summary>
    bool AreIsolated { get; }

    /// <summary>Description for the user: "each in its own network namespace".</summary>
    string Description { get; }

    /// <summary>Creates a network. The caller disposes it after the pod's processes have ended.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    Task<IPodNetwork> CreateAsync(V1Pod pod, CancellationToken cancellationToken);
}

/// <summary>Pod networks without network namespaces: a loopback address for each pod, which its processes must listen on.</summary>
internal sealed class LoopbackNetworks(LoopbackAddresses addresses) : IPodNetworks
{
    public bool AreIsolated => false;
    public string Description => "each on its own loopback address";

    public Task<IPodNetwork> CreateAsync(V1Pod pod, CancellationToken cancellationToken) =>
        Task.FromResult<IPodNetwork>(new Network(addresses, addresses.Take()));

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
