using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
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
    public static ManagedFields FromMetadata(JsonObject? metadata) =>
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
            var gathered = oldest with { Manager = ManagedEntry.AncientChanges, Subresource = "" };
            Put(Find(gathered) is { } known ? gathered with { Fields = known.Fields.Union(oldest.Fields) } : gathered);
        }
    }

    /// <summary>The list in stored form.</summary>
    public JsonArray ToJson() => [.. Sorted().Select(entry => entry.ToJson())];

    /// <summary>Whether two stored lists are equal except for the times of their entries.</summary>
    public static bool EqualIgnoringTimes(JsonArray? left, JsonArray? right)
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

/// <summary>One entry of <c>metadata.managedFields</c>: the fields that a manager owns, and the operation that wrote them.</summary>
internal sealed record ManagedEntry(string Manager, string Operation, string ApiVersion, string Subresource, string? Time, FieldSet Fields)
{
    public const string Apply = "Apply";
    public const string Update = "Update";

    /// <summary>Owner of the fields that an object had before its first apply.</summary>
    public const string BeforeFirstApply = "before-first-apply";

    /// <summary>Manager name of the merged entry of the oldest updaters.</summary>
    public const string AncientChanges = "ancient-changes";

    public bool IsApply => Operation == Apply;

    /// <summary>
    /// Whether two entries have the same manager: an applier may change its API version, but an updater with another API version is a
    /// different manager.
    /// </summary>
    public bool SameManager(ManagedEntry other) =>
        Manager == other.Manager
        && Operation == other.Operation
        && Subresource == other.Subresource
        && (IsApply || ApiVersion == other.ApiVersion);

    /// <summary>The manager as printed in conflict messages.</summary>
    public string Describe()
    {
        var text = FieldError.Quote(Manager);
        if (Subresource.Length > 0)
        {
            text += $" with subresource {FieldError.Quote(Subresource)}";
        }
        return IsApply ? text : $"{text} using {ApiVersion}";
    }

    /// <exception cref="FormatException">The object is not a valid entry.</exception>
    public static ManagedEntry Parse(JsonObject entry)
    {
        var operation = entry.Text("operation");
        if (operation is not (Apply or Update))
        {
            throw new FormatException($"unknown operation {operation}");
        }
        if (entry.Text("apiVersion") is not { Length: > 0 } version)
        {
            throw new FormatException("an entry has no apiVersion");
        }
        if (entry["fieldsType"] is not null && entry.Text("fieldsType") != "FieldsV1")
        {
            throw new FormatException($"unknown type of fields {entry["fieldsType"]}");
        }
        return new ManagedEntry(
            entry.Text("manager") ?? "",
            operation,
            version,
            entry.Text("subresource") ?? "",
            entry.Text("time"),
            FieldSet.Parse(entry.Object("fieldsV1") ?? [])
        );
    }

    public JsonObject ToJson()
    {
        var entry = new JsonObject();
        if (Manager.Length > 0)
        {
            entry["manager"] = Manager;
        }
        entry["operation"] = Operation;
        entry["apiVersion"] = ApiVersion;
        if (Time is not null)
        {
            entry["time"] = Time;
        }
        entry["fieldsType"] = "FieldsV1";
        entry["fieldsV1"] = Fields.ToJson();
        if (Subresource.Length > 0)
        {
            entry["subresource"] = Subresource;
        }
        return entry;
    }
}

/// <summary>Names of field managers: from the request, or else from the client's User-Agent.</summary>
internal static class ManagerNames
{
    private const int MaxBytes = 128;

    public static IEnumerable<FieldError> Validate(string manager)
    {
        if (Encoding.UTF8.GetByteCount(manager) > MaxBytes)
        {
            yield return FieldError.TooLong("fieldManager", MaxBytes);
        }
        if (manager.EnumerateRunes().Any(rune => !IsPrintable(rune)))
        {
            yield return FieldError.Invalid("fieldManager", manager, "should only contain printable characters");
        }
    }

    /// <summary>The printable part of a User-Agent before the first slash, truncated to the maximum length.</summary>
    public static string FromUserAgent(string userAgent)
    {
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in userAgent.Split('/', 2)[0].EnumerateRunes().Where(IsPrintable))
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }
            name.Append(rune.ToString());
        }
        return name.ToString();
    }

    private static bool IsPrintable(Rune rune) =>
        rune.Value == ' '
        || Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.SpaceSeparator
            );
}
