using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// The subscription of one stream to one type: requested names, sent resources, and the resources to send next. Independent of gRPC. Used
/// by the loop of the stream only; members that take a <see cref="NodeResources"/> require its lock.
/// </summary>
internal sealed class Subscription(string typeUrl)
{
    /// <summary>The name of the wildcard subscription.</summary>
    public const string WildcardName = "*";

    private readonly HashSet<string> _recheck = new(StringComparer.Ordinal);
    private readonly HashSet<string> _resendWithNextChange = new(StringComparer.Ordinal);
    private bool _recheckAll;
    private long _readSequence;

    public string TypeUrl { get; } = typeUrl;

    public bool Wildcard { get; private set; }

    /// <summary>Subscribed names, in addition to the wildcard.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the client has ever subscribed to a name. Otherwise it is subscribed to the wildcard.</summary>
    public bool HasNamedResources { get; private set; }

    /// <summary>
    /// Resources that were sent and that the client is still subscribed to. After a rejection, the client may have an older version.
    /// </summary>
    public SentResources Sent { get; } = new();

    /// <summary>The number of resources that a reconnecting client reported in its first request.</summary>
    public int InitialResources { get; private set; }

    /// <summary>Names of removed resources that the client still has because the removal was not sent yet.</summary>
    public HashSet<string> Removals { get; } = new(StringComparer.Ordinal);

    /// <summary>Resources to send, as of the last <see cref="Collect"/>.</summary>
    public Dictionary<string, VersionedResource> Additions { get; } = new(StringComparer.Ordinal);

    /// <summary>Subscribed names that do not exist, as of the last <see cref="Collect"/>.</summary>
    public HashSet<string> Missing { get; } = new(StringComparer.Ordinal);

    /// <summary>Timestamp of the oldest change since the previous <see cref="Collect"/>; null if only requests led to additions.</summary>
    public long? OldestChange { get; private set; }

    /// <summary>Whether the client requires a response, even an empty one.</summary>
    public bool ResponseRequired { get; set; }

    public void SubscribeToAll()
    {
        if (!Wildcard)
        {
            Wildcard = true;
            _recheckAll = true;
        }
    }

    /// <summary>Subscribes to a name. A repeated subscription resends the resource, because the client may have dropped it.</summary>
    public void Subscribe(string name, bool isHeld = false)
    {
        HasNamedResources = true;
        if (name == WildcardName)
        {
            SubscribeToAll();
            return;
        }

        Names.Add(name);
        _recheck.Add(name);
        if (!isHeld)
        {
            Sent.Remove(name);
            Removals.Remove(name);
        }
    }

    public void Unsubscribe(string name)
    {
        HasNamedResources = true;
        if (name == WildcardName)
        {
            Wildcard = false;
            foreach (var sent in Sent.Names.Where(n => !Names.Contains(n)).ToList())
            {
                Forget(sent);
            }

            return;
        }

        if (Names.Remove(name))
        {
            Forget(name);
            if (Wildcard)
            {
                // The resource may still be included in the wildcard.
                _recheck.Add(name);
            }
        }
    }

    /// <summary>Records a resource that a reconnecting client already has.</summary>
    public void SetInitialVersion(string name, string version)
    {
        if (IsSubscribed(name))
        {
            InitialResources++;
            Sent.Set(name, version);
            _recheck.Add(name);
        }
    }

    /// <summary>Resends an unchanged resource.</summary>
    public void Resend(string name)
    {
        if (IsSubscribed(name) && Sent.Has(name))
        {
            Sent.Remove(name);
            _recheck.Add(name);
        }
    }

    /// <summary>
    /// Whether a client with the set of resources of <paramref name="version"/> has all subscribed resources. If so, they are recorded as
    /// sent.
    /// </summary>
    public bool IsUpToDate(NodeResources node, string version)
    {
        var resources = SubscribedResources(node).ToList();
        var current = new SentResources();
        resources.ForEach(current.Set);
        if (current.Version != version)
        {
            return false;
        }

        resources.ForEach(Sent.Set);
        SetRead(node.Sequence);
        return true;
    }

    /// <summary>Determines the resources to send. The cost depends on the number of changes since the last call.</summary>
    /// <param name="node">The resources of the node.</param>
    /// <param name="until">Sequence number of the last change to include; null for all.</param>
    public void Collect(NodeResources node, long? until = null)
    {
        Additions.Clear();
        Missing.Clear();
        OldestChange = null;
        var log = node.Find(TypeUrl);
        var end = until ?? node.Sequence;
        if (_recheckAll || (log is not null && log.CompactedTo > _readSequence))
        {
            foreach (var resource in SubscribedResources(node))
            {
                if (log!.SequenceOf(resource.Name) <= end)
                {
                    Compare(log, resource.Name);
                }
            }

            foreach (var name in Sent.Names)
            {
                if ((log?.SequenceOf(name) ?? 0) <= end)
                {
                    Compare(log, name);
                }
            }
        }
        else if (log is not null && log.Newest > _readSequence)
        {
            foreach (var name in log.ChangedSince(_readSequence))
            {
                if (IsSubscribed(name) && log.SequenceOf(name) <= end && Compare(log, name) && _readSequence > 0)
                {
                    OldestChange = Math.Min(OldestChange ?? long.MaxValue, log.ChangedAt(name));
                }
            }
        }

        foreach (var name in _recheck)
        {
            Compare(log, name);
            if (log?.Find(name) is null && !Sent.Has(name))
            {
                Missing.Add(name);
            }
        }

        AddRejectedResources(log, end);
        SetRead(end);
    }

    /// <summary>
    /// The client rejected the additions without naming a resource; a single invalid resource may have caused the rejection of all. They
    /// are resent with the next change, which may correct the invalid resource. Without a change they would be rejected again.
    /// </summary>
    public void OnRejectedWithoutNames()
    {
        if (Additions.Count > 1)
        {
            _resendWithNextChange.UnionWith(Additions.Keys);
        }
    }

    private void AddRejectedResources(TypeLog? log, long end)
    {
        if (Additions.Count + Removals.Count == 0)
        {
            return;
        }

        foreach (var name in _resendWithNextChange.Where(n => IsSubscribed(n) && log?.Find(n) is not null && log.SequenceOf(n) <= end))
        {
            Sent.Remove(name);
            Compare(log, name);
        }

        _resendWithNextChange.Clear();
    }

    /// <summary>Marks the additions as sent.</summary>
    public void TakeAdditions()
    {
        foreach (var resource in Additions.Values)
        {
            Sent.Set(resource);
        }
    }

    /// <summary>Marks the removals as sent.</summary>
    public void TakeRemovals()
    {
        foreach (var name in Removals)
        {
            Sent.Remove(name);
        }

        Removals.Clear();
    }

    private bool IsSubscribed(string name) => Wildcard || Names.Contains(name);

    private IEnumerable<VersionedResource> SubscribedResources(NodeResources node)
    {
        if (node.Find(TypeUrl) is not { } log)
        {
            return [];
        }

        return Wildcard ? log.All : Names.Select(log.Find).OfType<VersionedResource>();
    }

    /// <returns>Whether the resource, or its removal, must be sent.</returns>
    private bool Compare(TypeLog? log, string name)
    {
        if (log?.Find(name) is { } resource)
        {
            Removals.Remove(name);
            if (Sent.Has(name, resource.Version))
            {
                return false;
            }

            Additions[name] = resource;
            return true;
        }

        return Sent.Has(name) && Removals.Add(name);
    }

    private void SetRead(long end)
    {
        _recheck.Clear();
        _recheckAll = false;
        _readSequence = Math.Max(_readSequence, end);
    }

    private void Forget(string name)
    {
        Sent.Remove(name);
        Removals.Remove(name);
        _recheck.Remove(name);
    }
}

/// <summary>The resources that were sent to a client, and the version of this set: a hash of names and versions.</summary>
internal sealed class SentResources
{
    private readonly Dictionary<string, (string Version, VersionedResource? Resource)> _byName = new(StringComparer.Ordinal);
    private UInt128 _sum;

    public int Count => _byName.Count;

    public IReadOnlyCollection<string> Names => _byName.Keys;

    /// <summary>Equal for equal content, independent of replica and order.</summary>
    public string Version => _sum.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The resources that this stream sent.</summary>
    public IEnumerable<VersionedResource> Resources => _byName.Values.Select(s => s.Resource).OfType<VersionedResource>();

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

    /// <summary>Adds a resource that another stream sent.</summary>
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
