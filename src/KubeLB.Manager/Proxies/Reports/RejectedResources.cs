using KubeLB.Xds.Discovery;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>
/// What the proxies on this replica's streams refuse at present. A refusal outlives its stream for a while: a proxy that only reconnects, here
/// or at another replica, refuses the same again within seconds, and nothing should seem mended in between.
/// </summary>
internal sealed class RejectedResources(TimeProvider time) : IXdsObserver
{
    /// <summary>How long what a closed stream refused is remembered.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<(long Stream, string TypeUrl), Entry> _open = [];
    private readonly Dictionary<(string Node, string Host, string TypeUrl), (Entry Entry, DateTimeOffset Until)> _closed = [];
    private volatile bool _anyClosed;

    /// <summary>Something changed.</summary>
    public event Action? Changed;

    /// <summary>What is refused now, in a stable order, and when that changes by itself; null if it does not.</summary>
    public (IReadOnlyList<RejectedResource> Resources, DateTimeOffset? Until) Now()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var (key, _) in _closed.Where(c => c.Value.Until <= now).ToList())
            {
                _closed.Remove(key);
            }

            _anyClosed = _closed.Count > 0;
            var resources = _open.Values.Concat(_closed.Values.Select(c => c.Entry))
                .SelectMany(entry => entry.Rejected.Select(r => new RejectedResource(entry.Node, entry.Host, entry.TypeUrl, r.Key, r.Value.Message)))
                .OrderBy(r => r.Node, StringComparer.Ordinal)
                .ThenBy(r => r.Proxy, StringComparer.Ordinal)
                .ThenBy(r => r.TypeUrl, StringComparer.Ordinal)
                .ThenBy(r => r.Name, StringComparer.Ordinal)
                .ThenBy(r => r.Message, StringComparer.Ordinal)
                .ToList();
            return (resources, _closed.Count == 0 ? null : _closed.Values.Min(c => c.Until));
        }
    }

    /// <inheritdoc/>
    public void RejectedResourcesChanged(XdsStreamInfo stream, string typeUrl, IReadOnlyDictionary<string, XdsRejection> rejected)
    {
        lock (_gate)
        {
            var entry = new Entry(stream.Node, XdsPeer.HostOf(stream.Peer), typeUrl, rejected);
            ForgetClosed(entry);
            if (rejected.Count == 0)
            {
                _open.Remove((stream.Id, typeUrl));
            }
            else
            {
                _open[(stream.Id, typeUrl)] = entry;
            }
        }

        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public void Acknowledged(XdsStreamInfo stream, string typeUrl, TimeSpan sinceSent)
    {
        // Nearly always there is nothing to look for, and nothing to wait for either.
        if (!_anyClosed)
        {
            return;
        }

        bool changed;
        lock (_gate)
        {
            changed = ForgetClosed(new Entry(stream.Node, XdsPeer.HostOf(stream.Peer), typeUrl, NothingRejected));
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    /// <inheritdoc/>
    public void StreamClosed(XdsStreamInfo stream)
    {
        var closed = false;
        lock (_gate)
        {
            foreach (var (key, entry) in _open.Where(o => o.Key.Stream == stream.Id).ToList())
            {
                // One for each proxy: a client that connects, refuses and leaves again and again takes no more room than one that stays.
                _open.Remove(key);
                _closed[entry.Proxy] = (entry, time.GetUtcNow() + Grace);
                closed = _anyClosed = true;
            }
        }

        if (closed)
        {
            Changed?.Invoke();
        }
    }

    private static readonly IReadOnlyDictionary<string, XdsRejection> NothingRejected = new Dictionary<string, XdsRejection>();

    private bool ForgetClosed(Entry entry)
    {
        var forgotten = _closed.Remove(entry.Proxy);
        _anyClosed = _closed.Count > 0;
        return forgotten;
    }

    private sealed record Entry(string Node, string Host, string TypeUrl, IReadOnlyDictionary<string, XdsRejection> Rejected)
    {
        public (string Node, string Host, string TypeUrl) Proxy => (Node, Host, TypeUrl);
    }
}

/// <summary>A resource that a proxy refuses.</summary>
/// <param name="Node">The proxy's node id: the tenant's namespace.</param>
/// <param name="Proxy">Its address, without the port.</param>
/// <param name="TypeUrl">The resource's type.</param>
/// <param name="Name">Its name.</param>
/// <param name="Message">The proxy's own words.</param>
internal sealed record RejectedResource(string Node, string Proxy, string TypeUrl, string Name, string Message);
