using System.Net;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// Which addresses the API server is told of pods, which all listen on loopback. Kubernetes refuses EndpointSlices with loopback addresses:
/// for an API server that does, <c>127.a.b.c</c> is published as <c>10.a.b.c</c>.
/// </summary>
/// <param name="loopback">Whether loopback addresses may be published as they are.</param>
internal sealed class PodAddresses(bool loopback)
{
    private const byte Loopback = 127;
    private const byte Private = 10;

    /// <summary>What the API server is told of the address at which a pod listens.</summary>
    public IPAddress Publish(IPAddress address) => loopback ? address : Replace(address, Loopback, Private);

    /// <summary>Where a pod listens whose published address this is.</summary>
    public IPAddress Resolve(IPAddress published) => loopback ? published : Replace(published, Private, Loopback);

    private static IPAddress Replace(IPAddress address, byte from, byte to)
    {
        var bytes = address.GetAddressBytes();
        if (bytes.Length != 4 || bytes[0] != from)
        {
            return address;
        }

        bytes[0] = to;
        return new IPAddress(bytes);
    }
}
