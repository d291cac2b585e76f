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
/// An encoded resource, shared by all streams. Its version is a hash of its content, so that equal content has the same version on all
/// replicas and after a restart.
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

    /// <summary>The name, unique per node and type.</summary>
    public string Name { get; }

    /// <summary>The type, as in <see cref="ResourceTypes"/>.</summary>
    public string TypeUrl => Body.TypeUrl;

    /// <summary>16 hex digits of the SHA-256 of the content.</summary>
    public string Version { get; }

    /// <summary>The encoded resource. Must not be modified.</summary>
    public Any Body { get; }

    /// <summary>A hash of name and version. The sum of fingerprints identifies a set of resources, independent of its order.</summary>
    internal UInt128 Fingerprint { get; }

    /// <summary>The name of the <c>ClusterLoadAssignment</c> of an EDS cluster; null for other resources.</summary>
    internal string? EndpointsName { get; }

    /// <summary>Encodes a message.</summary>
    /// <exception cref="ArgumentException">The name is empty or <c>*</c>, the wildcard.</exception>
    public static VersionedResource Create(string name, IMessage message)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(message);
        if (name == "*")
        {
            throw new ArgumentException("Invalid resource name *: it is the wildcard of subscriptions.", nameof(name));
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

    /// <summary>The fingerprint for a name and version.</summary>
    internal static UInt128 FingerprintOf(string name, string version) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\0{version}")));

    // Deterministic: maps are encoded in the order of their keys, so that equal content has equal bytes.
    private static byte[] Encode(IMessage message)
    {
        var bytes = new byte[message.CalculateSize()];
        using var output = new CodedOutputStream(bytes) { Deterministic = true };
        message.WriteTo(output);
        output.CheckNoSpaceLeft();
        return bytes;
    }
}
