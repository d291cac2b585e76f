using System.Net;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The network of one pod: processes in it listen at an address that no other pod has.</summary>
internal interface IPodNetwork : IAsyncDisposable
{
    /// <summary>The pod's address.</summary>
    IPAddress Address { get; }

    /// <summary>Address at which the pod's processes reach each other only.</summary>
    IPAddress Loopback { get; }

    /// <summary>What a command is put after in order to run in this network.</summary>
    IReadOnlyList<string> Within { get; }
}

/// <summary>Makes networks for pods.</summary>
internal interface IPodNetworks : IAsyncDisposable
{
    /// <summary>Whether a pod has interfaces of its own, so that its processes can listen on all of them as in a cluster.</summary>
    bool AreIsolated { get; }

    /// <summary>What the networks are, for the user: "each in a network namespace of its own".</summary>
    string Description { get; }

    /// <summary>Makes a network. The caller disposes it when the pod's processes have ended.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    Task<IPodNetwork> CreateAsync(V1Pod pod, CancellationToken cancellationToken);
}
