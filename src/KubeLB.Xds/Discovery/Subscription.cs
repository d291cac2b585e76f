using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// One stream's interest in one type: what the client asked for, what it was sent, and what it lacks. Knows nothing of gRPC and is
/// used by the stream's loop only; where it looks at resources, the node's gate is held.
/// </summary>
internal sealed class Subscription(string typeUrl)
{
    /// <summary>The name that asks for everything.</summary>
    public const string Everything = "*";

    private readonly HashSet<string> _recheck = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refusedTogether = new(StringComparer.Ordinal);
    private bool _recheckAll;
    private long _read;

    public string TypeUrl { get; } = typeUrl;

    public bool Wildcard { get; private set; }

    /// <summary>Names asked for, beside the wildcard.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the client has ever named anything: one that never did asks for everything.</summary>
    public bool EverNamed { get; private set; }

    /// <summary>What the client was sent and has not given up. After a rejection it may hold an older version of it.</summary>
    public SentResources Sent { get; } = new();

    /// <summary>How many resources a reconnecting client said that it has.</summary>
    public int Claimed { get; private set; }

    /// <summary>Names that the client has and that are gone, not told yet.</summary>
    public HashSet<string> Removals { get; } = new(StringComparer.Ordinal);

    /// <summary>What the client lacks, as of the last <see cref="Collect"/>.</summary>
    public Dictionary<string, VersionedResource> Additions { get; } = new(StringComparer.Ordinal);

    /// <summary>Names asked for that are not there, as of the last <see cref="Collect"/>.</summary>
    public HashSet<string> Missing { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Timestamp of the oldest change among what the last <see cref="Collect"/> found; null if none was new since the one before.
    /// </summary>
    public long? OldestChange { get; private set; }

    /// <summary>The client waits for an answer, even for one that holds nothing.</summary>
    public bool OwesAnswer { get; set; }

    public void SubscribeToEverything()
    {
        if (!Wildcard)
        {
            Wildcard = true;
            _recheckAll = true;
        }
    }

    /// <summary>Asks for a name. Asked for again, it is sent again: the client may have dropped it.</summary>
    public void Subscribe(string name, bool hasIt = false)
    {
        EverNamed = true;
        if (name == Everything)
        {
            SubscribeToEverything();
            return;
        }

        Names.Add(name);
        _recheck.Add(name);
        if (!hasIt)
        {
            Sent.Remove(name);
            Removals.Remove(name);
        }
    }

    public void Unsubscribe(string name)
    {
        EverNamed = true;
        if (name == Everything)
        {
            Wildcard = false;
            foreach (var given in Sent.Names.Where(n => !Names.Contains(n)).ToList())
            {
                Forget(given);
            }

            return;
        }

        if (Names.Remove(name))
        {
            Forget(name);
            if (Wildcard)
            {
                // The client cannot know whether the wildcard covers it.
                _recheck.Add(name);
            }
        }
    }

    /// <summary>Notes what a reconnecting client already has.</summary>
    public void AlreadyHas(string name, string version)
    {
        if (Wildcard || Names.Contains(name))
        {
            Claimed++;
            Sent.Set(name, version);
            _recheck.Add(name);
        }
    }

    /// <summary>A resource that was sent is sent again although it has not changed.</summary>
    public void Resend(string name)
    {
        if (Wants(name) && Sent.Has(name))
        {
            Sent.Remove(name);
            _recheck.Add(name);
        }
    }

    /// <summary>
    /// Whether the client may have everything that it asked for, if it has the set of resources that <paramref name="version"/> names.
    /// </summary>
    public bool IsUpToDate(NodeResources node, string version)
    {
        var wanted = Wanted(node).ToList();
        var have = new SentResources();
        wanted.ForEach(have.Set);
        if (have.Version != version)
        {
            return false;
        }

        wanted.ForEach(Sent.Set);
        Read(node.Sequence);
        return true;
    }

    /// <summary>Compares with what is there; costs what changed since the last time.</summary>
    /// <param name="node">What is there.</param>
    /// <param name="until">Sequence number of the last change that counts, of later ones the next look will tell; null for all.</param>
    public void Collect(NodeResources node, long? until = null)
    {
        Additions.Clear();
        Missing.Clear();
        OldestChange = null;
        var log = node.Find(TypeUrl);
        var end = until ?? node.Sequence;
        if (_recheckAll || (log is not null && log.Forgotten > _read))
        {
            foreach (var resource in Wanted(node))
            {
                if (log!.SequenceOf(resource.Name) <= end)
                {
                    Look(log, resource.Name);
                }
            }

            foreach (var name in Sent.Names)
            {
                if ((log?.SequenceOf(name) ?? 0) <= end)
                {
                    Look(log, name);
                }
            }
        }
        else if (log is not null && log.Newest > _read)
        {
            foreach (var name in log.ChangedSince(_read))
            {
                if (Wants(name) && log.SequenceOf(name) <= end && Look(log, name) && _read > 0)
                {
                    OldestChange = Math.Min(OldestChange ?? long.MaxValue, log.ChangedAt(name));
                }
            }
        }

        foreach (var name in _recheck)
        {
            Look(log, name);
            if (log?.Find(name) is null && !Sent.Has(name))
            {
                Missing.Add(name);
            }
        }

        SendAgainWhatWasRefusedTogether(log, end);
        Read(end);
    }

    /// <summary>
    /// The client refused the additions and named none of them. It may have taken none, for the sake of one: they are sent again together
    /// with the next change, which may be the end of that one, and not before, since they would be refused again.
    /// </summary>
    public void RefuseTogether()
    {
        if (Additions.Count > 1)
        {
            _refusedTogether.UnionWith(Additions.Keys);
        }
    }

    private void SendAgainWhatWasRefusedTogether(TypeLog? log, long end)
    {
        if (Additions.Count + Removals.Count == 0)
        {
            return;
        }

        foreach (var name in _refusedTogether.Where(n => Wants(n) && log?.Find(n) is not null && log.SequenceOf(n) <= end))
        {
            Sent.Remove(name);
            Look(log, name);
        }

        _refusedTogether.Clear();
    }

    /// <summary>Notes that the additions were sent.</summary>
    public void TakeAdditions()
    {
        foreach (var resource in Additions.Values)
        {
            Sent.Set(resource);
        }
    }

    /// <summary>Notes that the removals were sent.</summary>
    public void TakeRemovals()
    {
        foreach (var name in Removals)
        {
            Sent.Remove(name);
        }

        Removals.Clear();
    }

    private bool Wants(string name) => Wildcard || Names.Contains(name);

    private IEnumerable<VersionedResource> Wanted(NodeResources node)
    {
        if (node.Find(TypeUrl) is not { } log)
        {
            return [];
        }

        return Wildcard ? log.All : Names.Select(log.Find).OfType<VersionedResource>();
    }

    private bool Look(TypeLog? log, string name)
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

    private void Read(long end)
    {
        _recheck.Clear();
        _recheckAll = false;
        _read = Math.Max(_read, end);
    }

    private void Forget(string name)
    {
        Sent.Remove(name);
        Removals.Remove(name);
        _recheck.Remove(name);
    }
}
