namespace KubeLB.Runtime.Storing;

/// <summary>
/// A limited number of the latest deletions. They prevent an event that precedes a deletion (a late response to a write, or an event of a
/// slow watch) from restoring the object.
/// </summary>
internal sealed class Tombstones(int capacity)
{
    private readonly Dictionary<ResourceKey, Tombstone> _tombstones = [];
    private readonly Queue<(ResourceKey Key, long Serial)> _order = new();
    private long _serial;

    public int Count => _tombstones.Count;

    public void Add(ResourceKey key, string? uid, string? resourceVersion)
    {
        if (_tombstones.TryGetValue(key, out var earlier))
        {
            resourceVersion = ResourceVersions.Later(resourceVersion, earlier.ResourceVersion);
        }

        _tombstones[key] = new Tombstone(uid, resourceVersion, ++_serial);
        _order.Enqueue((key, _serial));
        while (_tombstones.Count > capacity || _order.Count > capacity * 2)
        {
            var (oldest, serial) = _order.Dequeue();
            if (_tombstones.TryGetValue(oldest, out var grave) && grave.Serial == serial)
            {
                _tombstones.Remove(oldest);
            }
        }
    }

    public bool IsDeleted(ResourceKey key, string? uid, string? resourceVersion) =>
        _tombstones.TryGetValue(key, out var tombstone)
        && (
            (uid is not null && uid == tombstone.Uid)
            || !(HasLeftSelector(resourceVersion, tombstone) || ResourceVersions.IsNewer(resourceVersion, tombstone.ResourceVersion))
        );

    public void Remove(ResourceKey key) => _tombstones.Remove(key);

    /// <summary>
    /// Removes the uids of all tombstones after a complete list, and lowers their resourceVersions to that of the list: the list takes
    /// precedence over earlier deletions, because the storage may have been restored.
    /// </summary>
    /// <param name="resourceVersion">The resourceVersion of the list.</param>
    public void Listed(string resourceVersion)
    {
        foreach (var (key, tombstone) in _tombstones)
        {
            var isLater = ResourceVersions.IsNewer(tombstone.ResourceVersion, resourceVersion);
            _tombstones[key] = tombstone with { Uid = null, ResourceVersion = isLater ? resourceVersion : tombstone.ResourceVersion };
        }
    }

    // No object has the resourceVersion of a deletion. If an object was only changed so that it no longer matches the selector, the object
    // exists and has the resourceVersion of its DELETED event.
    private static bool HasLeftSelector(string? resourceVersion, Tombstone tombstone) =>
        !string.IsNullOrEmpty(resourceVersion) && string.Equals(resourceVersion, tombstone.ResourceVersion, StringComparison.Ordinal);

    private readonly record struct Tombstone(string? Uid, string? ResourceVersion, long Serial);
}

/// <summary>Compares resourceVersions, which are decimal numbers of any length (KEP-5504).</summary>
internal static class ResourceVersions
{
    /// <summary>
    /// True if <paramref name="candidate"/> is later than <paramref name="stored"/>. If either is not a number, the candidate is treated as
    /// later unless both are equal; an empty candidate is always treated as later.
    /// </summary>
    public static bool IsNewer(string? candidate, string? stored)
    {
        if (!IsNumber(candidate) || !IsNumber(stored))
        {
            return !string.Equals(candidate, stored, StringComparison.Ordinal) || string.IsNullOrEmpty(candidate);
        }

        var left = candidate.AsSpan().TrimStart('0');
        var right = stored.AsSpan().TrimStart('0');
        return left.Length != right.Length ? left.Length > right.Length : left.SequenceCompareTo(right) > 0;
    }

    /// <summary>
    /// True if <paramref name="candidate"/> is earlier than <paramref name="seen"/>, which means that the storage was restored to an
    /// earlier state. False if the versions are not numbers.
    /// </summary>
    public static bool IsOlder(string? candidate, string? seen) => IsNumber(candidate) && IsNumber(seen) && IsNewer(seen, candidate);

    public static string? Later(string? left, string? right) => IsNewer(left, right) ? left : right;

    private static bool IsNumber([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] string? version) =>
        !string.IsNullOrEmpty(version) && !version.AsSpan().ContainsAnyExceptInRange('0', '9');
}
