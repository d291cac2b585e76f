namespace KubeLB.Runtime.Storing;

/// <summary>
/// Remembers the latest deletions, a bounded number of them, so that news from before a deletion (the late answer to a write of our own, an
/// event of a slow watch) does not bring an object back.
/// </summary>
internal sealed class Tombstones(int capacity)
{
    private readonly Dictionary<ResourceKey, Grave> _graves = [];
    private readonly Queue<(ResourceKey Key, long Serial)> _order = new();
    private long _serial;

    public int Count => _graves.Count;

    public void Add(ResourceKey key, string? uid, string? resourceVersion)
    {
        if (_graves.TryGetValue(key, out var earlier))
        {
            resourceVersion = ResourceVersions.Later(resourceVersion, earlier.ResourceVersion);
        }

        _graves[key] = new Grave(uid, resourceVersion, ++_serial);
        _order.Enqueue((key, _serial));
        while (_graves.Count > capacity || _order.Count > capacity * 2)
        {
            var (oldest, serial) = _order.Dequeue();
            if (_graves.TryGetValue(oldest, out var grave) && grave.Serial == serial)
            {
                _graves.Remove(oldest);
            }
        }
    }

    public bool IsDead(ResourceKey key, string? uid, string? resourceVersion) =>
        _graves.TryGetValue(key, out var grave)
        && (
            (uid is not null && uid == grave.Uid)
            || !(IsLeaver(resourceVersion, grave) || ResourceVersions.IsNewer(resourceVersion, grave.ResourceVersion))
        );

    public void Remove(ResourceKey key) => _graves.Remove(key);

    /// <summary>
    /// A complete list of that version has been read: what it says of an incarnation or of later versions counts more than what is
    /// remembered from before, which may be from a storage that was put back since.
    /// </summary>
    public void Listed(string resourceVersion)
    {
        foreach (var (key, grave) in _graves)
        {
            var isLater = ResourceVersions.IsNewer(grave.ResourceVersion, resourceVersion);
            _graves[key] = grave with { Uid = null, ResourceVersion = isLater ? resourceVersion : grave.ResourceVersion };
        }
    }

    // A deletion has a version of its own, which no living object has; a change that takes an object out of the selector does not. Whoever
    // read it since knows that it lives.
    private static bool IsLeaver(string? resourceVersion, Grave grave) =>
        !string.IsNullOrEmpty(resourceVersion) && string.Equals(resourceVersion, grave.ResourceVersion, StringComparison.Ordinal);

    private readonly record struct Grave(string? Uid, string? ResourceVersion, long Serial);
}
