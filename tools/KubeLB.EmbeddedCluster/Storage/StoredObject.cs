using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>
/// One version of one object, immutable. It is stored as the UTF-8 text from <c>"metadata":</c> to the closing brace; the leading kind and
/// apiVersion depend on the view (API version, list item or single object) and are added when it is sent.
/// </summary>
internal sealed class StoredObject
{
    private readonly byte[] _tail;
    private readonly int _revisionAt;
    private readonly int _revisionLength;
    private readonly KeyValuePair<string, string>[] _labels;

    internal StoredObject(
        byte[] tail,
        int revisionAt,
        int revisionLength,
        long revision,
        ObjectIdentity identity,
        KeyValuePair<string, string>[] labels,
        object? shape
    )
    {
        _tail = tail;
        _revisionAt = revisionAt;
        _revisionLength = revisionLength;
        _labels = labels;
        Revision = revision;
        Identity = identity;
        Shape = shape;
    }

    public ObjectIdentity Identity { get; }

    public string Namespace => Identity.Namespace;

    public string Name => Identity.Name;

    public string Uid => Identity.Uid;

    /// <summary>The resourceVersion; 0 before the object is committed.</summary>
    public long Revision { get; }

    /// <summary>The version of the definition whose schema the object was written with; null for built-in kinds.</summary>
    public object? Shape { get; }

    /// <summary>The text from <c>"metadata":</c> to the closing brace.</summary>
    public ReadOnlyMemory<byte> Tail => _tail;

    public IReadOnlyList<KeyValuePair<string, string>> Labels => _labels;

    public string? Label(string key)
    {
        foreach (var (name, value) in _labels)
        {
            if (name == key)
            {
                return value;
            }
        }
        return null;
    }

    /// <summary>The same object at another resourceVersion (0: none).</summary>
    public StoredObject At(long revision)
    {
        Span<byte> digits = stackalloc byte[20];
        var length = 0;
        if (revision > 0)
        {
            revision.TryFormat(digits, out length);
        }
        var tail = new byte[_tail.Length - _revisionLength + length];
        _tail.AsSpan(0, _revisionAt).CopyTo(tail);
        digits[..length].CopyTo(tail.AsSpan(_revisionAt));
        _tail.AsSpan(_revisionAt + _revisionLength).CopyTo(tail.AsSpan(_revisionAt + length));
        return new StoredObject(tail, _revisionAt, length, revision, Identity, _labels, Shape);
    }

    /// <summary>The same object without resourceVersion, as returned by a dry run. Must not be stored.</summary>
    public StoredObject WithoutRevision()
    {
        var member = ",\"resourceVersion\":\""u8.Length;
        byte[] tail = [.. _tail.AsSpan(0, _revisionAt - member), .. _tail.AsSpan(_revisionAt + _revisionLength + 1)];
        return new StoredObject(tail, _revisionAt - member, 0, 0, Identity, _labels, Shape);
    }

    /// <summary>Whether both are equal except for the resourceVersion.</summary>
    public bool SameContent(StoredObject other) =>
        _tail.AsSpan(0, _revisionAt).SequenceEqual(other._tail.AsSpan(0, other._revisionAt))
        && _tail.AsSpan(_revisionAt + _revisionLength).SequenceEqual(other._tail.AsSpan(other._revisionAt + other._revisionLength));

    /// <summary>A new tree of the object, without kind and apiVersion.</summary>
    public JsonObject ToTree()
    {
        var text = new byte[_tail.Length + 1];
        text[0] = (byte)'{';
        _tail.CopyTo(text, 1);
        return JsonReading.ParseObject(text);
    }

    public override string ToString() => "{" + Encoding.UTF8.GetString(_tail);
}

/// <summary>The identity of an object, and its owners.</summary>
/// <param name="Namespace">Empty for cluster-scoped objects.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Uid">The object's uid.</param>
/// <param name="Owners">Owner references.</param>
/// <param name="IsTerminating">Whether deletionTimestamp is set.</param>
internal sealed record ObjectIdentity(string Namespace, string Name, string Uid, IReadOnlyList<OwnerReference> Owners, bool IsTerminating);

/// <summary>A reference from a dependent to its owner.</summary>
internal sealed record OwnerReference(string Uid, string ApiVersion, string Kind, string Name, bool BlocksDeletion);
