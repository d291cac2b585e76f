using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Envoy.Config.Cluster.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace KubeLB.Xds.Resources;

/// <summary>
/// One resource as it goes over the wire: encoded once, shared by all streams. Its version is a hash of its content, so that
/// two replicas of the control plane, or one before and after a restart, name the same content alike.
/// </summary>
public sealed class VersionedResource
{
    private static readonly ConcurrentDictionary<MessageDescriptor, string> TypeUrls = new();

    private VersionedResource(string name, Any body, string version, UInt128 fingerprint, string? endpointsName)
    {
        Name = name;
        Body = body;
        Version = version;
        Fingerprint = fingerprint;
        EndpointsName = endpointsName;
    }

    /// <summary>Unique among the node's resources of this type.</summary>
    public string Name { get; }

    /// <summary>The type, as in <see cref="ResourceTypes"/>.</summary>
    public string TypeUrl => Body.TypeUrl;

    /// <summary>16 hex digits of the SHA-256 of the content.</summary>
    public string Version { get; }

    /// <summary>The encoded resource. Not to be changed.</summary>
    public Any Body { get; }

    /// <summary>A hash of name and version. The sum of those of a set of resources names the set, whatever its order.</summary>
    internal UInt128 Fingerprint { get; }

    /// <summary>For a cluster whose endpoints come over EDS, the name of its <c>ClusterLoadAssignment</c>.</summary>
    internal string? EndpointsName { get; }

    /// <summary>Encodes a message.</summary>
    /// <exception cref="ArgumentException">The name is empty, or <c>*</c>, which asks for everything.</exception>
    public static VersionedResource Create(string name, IMessage message)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(message);
        if (name == "*")
        {
            throw new ArgumentException("A resource cannot be named *: clients ask for everything by that name.", nameof(name));
        }

        var bytes = Encode(message);
        var version = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var body = new Any
        {
            TypeUrl = TypeUrls.GetOrAdd(message.Descriptor, static d => ResourceTypes.Prefix + d.FullName),
            Value = UnsafeByteOperations.UnsafeWrap(bytes),
        };
        var endpointsName = message is Cluster { Type: Cluster.Types.DiscoveryType.Eds } cluster
            ? cluster.EdsClusterConfig is { ServiceName.Length: > 0 } eds
                ? eds.ServiceName
                : cluster.Name
            : null;
        return new VersionedResource(name, body, version, FingerprintOf(name, version), endpointsName);
    }

    /// <summary>The fingerprint of a resource of which only name and version are known.</summary>
    internal static UInt128 FingerprintOf(string name, string version) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\0{version}")));

    // Maps in the order of their keys: equal content has equal bytes, whoever built it.
    private static byte[] Encode(IMessage message)
    {
        var bytes = new byte[message.CalculateSize()];
        using var output = new CodedOutputStream(bytes) { Deterministic = true };
        message.WriteTo(output);
        output.CheckNoSpaceLeft();
        return bytes;
    }
}
