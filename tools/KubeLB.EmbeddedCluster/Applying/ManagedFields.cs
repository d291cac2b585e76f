using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The owners of an object's fields: <c>metadata.managedFields</c>.</summary>
internal sealed class ManagedFields
{
    /// <summary>Maximum number of update entries; the oldest ones are merged into one.</summary>
    private const int MaxUpdaters = 10;

    private readonly List<ManagedEntry> _entries;

    private ManagedFields(List<ManagedEntry> entries) => _entries = entries;

    public static ManagedFields None => new([]);

    public bool IsEmpty => _entries.Count == 0;

    public IReadOnlyList<ManagedEntry> Entries => _entries;

    /// <exception cref="FormatException">The array is not a valid list of entries.</exception>
    public static ManagedFields Parse(JsonArray list) =>
        new([.. list.Select(item => ManagedEntry.Parse(item as JsonObject ?? throw new FormatException("an entry is not an object")))]);

    /// <summary>The entries of an object; empty if they are invalid.</summary>
    public static ManagedFields OfStored(JsonObject? metadata) =>
        metadata.Array("managedFields") is { Count: > 0 } list && TryParse(list) is { } known ? known : None;

    public static ManagedFields? TryParse(JsonArray list)
    {
        try
        {
            return Parse(list);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether the list has one empty entry, which removes all entries.</summary>
    public static bool IsReset(JsonArray? list) => list is [null or JsonObject { Count: 0 }];

    public ManagedEntry? Find(ManagedEntry like) => _entries.Find(entry => entry.SameManager(like));

    /// <summary>Adds an entry, replacing that of the same manager.</summary>
    public void Put(ManagedEntry entry)
    {
        _entries.RemoveAll(entry.SameManager);
        if (!entry.Fields.IsEmpty)
        {
            _entries.Add(entry);
        }
    }

    /// <summary>Removes fields from all managers except one.</summary>
    public void Take(FieldSet fields, ManagedEntry? except)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (except is not null && _entries[i].SameManager(except))
            {
                continue;
            }
            var left = _entries[i].Fields.Except(fields);
            if (left.IsEmpty)
            {
                _entries.RemoveAt(i);
            }
            else
            {
                _entries[i] = _entries[i] with { Fields = left };
            }
        }
    }

    /// <summary>Merges the oldest update entries if there are too many.</summary>
    public void Cap()
    {
        var updaters = Sorted().Where(entry => !entry.IsApply).ToList();
        foreach (var oldest in updaters.Take(updaters.Count - MaxUpdaters))
        {
            _entries.Remove(oldest);
            var gathered = oldest with { Manager = ManagedEntry.Ancient, Subresource = "" };
            Put(Find(gathered) is { } known ? gathered with { Fields = known.Fields.Union(oldest.Fields) } : gathered);
        }
    }

    /// <summary>The list in stored form.</summary>
    public JsonArray ToJson() => [.. Sorted().Select(entry => entry.ToJson())];

    /// <summary>Whether two stored lists are equal except for the times of their entries.</summary>
    public static bool SameButTimes(JsonArray? left, JsonArray? right)
    {
        if (
            left is null
            || right is null
            || left.Count != right.Count
            || TryParse(left) is not { } first
            || TryParse(right) is not { } second
        )
        {
            return false;
        }
        return first._entries.All(entry =>
            second.Find(entry) is { } same && same.ApiVersion == entry.ApiVersion && same.Fields.SameAs(entry.Fields)
        );
    }

    private IEnumerable<ManagedEntry> Sorted() =>
        _entries
            .OrderBy(entry => entry.Operation, StringComparer.Ordinal)
            .ThenBy(entry => entry.Time ?? "", StringComparer.Ordinal)
            .ThenBy(entry => entry.Manager, StringComparer.Ordinal)
            .ThenBy(entry => entry.ApiVersion, StringComparer.Ordinal)
            .ThenBy(entry => entry.Subresource, StringComparer.Ordinal);
}
