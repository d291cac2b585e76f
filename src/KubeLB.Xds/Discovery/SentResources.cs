using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>A set of resources that a client was sent, and its version: a hash of names and versions, kept up with each change.</summary>
internal sealed class SentResources
{
    private readonly Dictionary<string, (string Version, VersionedResource? Resource)> _byName = new(StringComparer.Ordinal);
    private UInt128 _sum;

    public int Count => _byName.Count;

    public IReadOnlyCollection<string> Names => _byName.Keys;

    /// <summary>The same for the same content, whoever sent it and in whatever order.</summary>
    public string Version => _sum.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>What was sent, where it was this stream that sent it.</summary>
    public IEnumerable<VersionedResource> Resources => _byName.Values.Select(s => s.Resource).OfType<VersionedResource>();

    /// <summary>Their bodies.</summary>
    public IEnumerable<Any> Bodies => Resources.Select(r => r.Body);

    public bool Has(string name) => _byName.ContainsKey(name);

    public bool Has(string name, string version) => _byName.TryGetValue(name, out var sent) && sent.Version == version;

    public void Set(VersionedResource resource)
    {
        Remove(resource.Name);
        _byName[resource.Name] = (resource.Version, resource);
        unchecked
        {
            _sum += resource.Fingerprint;
        }
    }

    /// <summary>Notes what another stream sent.</summary>
    public void Set(string name, string version)
    {
        Remove(name);
        _byName[name] = (version, null);
        unchecked
        {
            _sum += VersionedResource.FingerprintOf(name, version);
        }
    }

    public void Remove(string name)
    {
        if (_byName.Remove(name, out var sent))
        {
            unchecked
            {
                _sum -= sent.Resource?.Fingerprint ?? VersionedResource.FingerprintOf(name, sent.Version);
            }
        }
    }
}
