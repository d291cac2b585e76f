using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>A set of field paths, as a tree of path elements. Operations return new sets.</summary>
internal sealed class FieldSet
{
    private readonly Dictionary<string, FieldSet> _children = new(StringComparer.Ordinal);

    /// <summary>Whether the path of this node is in the set.</summary>
    public bool IsMember { get; set; }

    public bool IsEmpty => !IsMember && _children.Count == 0;

    public bool HasChildren => _children.Count > 0;

    public IEnumerable<KeyValuePair<string, FieldSet>> Children => _children;

    public FieldSet? Child(string element) => _children.GetValueOrDefault(element);

    /// <summary>The subset below an element; created if absent.</summary>
    public FieldSet At(string element)
    {
        if (!_children.TryGetValue(element, out var child))
        {
            _children[element] = child = new FieldSet();
        }
        return child;
    }

    public FieldSet Insert(params IEnumerable<string> path)
    {
        var node = this;
        foreach (var element in path)
        {
            node = node.At(element);
        }
        node.IsMember = true;
        return this;
    }

    public bool Contains(params IEnumerable<string> path)
    {
        var node = this;
        foreach (var element in path)
        {
            if (node.Child(element) is not { } child)
            {
                return false;
            }
            node = child;
        }
        return node.IsMember;
    }

    /// <summary>Every path of the set, in the order in which they are written.</summary>
    public IEnumerable<IReadOnlyList<string>> Paths()
    {
        foreach (var (element, child) in Ordered())
        {
            if (child.IsMember)
            {
                yield return [element];
            }
            foreach (var path in child.Paths())
            {
                yield return [element, .. path];
            }
        }
    }

    public FieldSet Union(FieldSet other)
    {
        var result = new FieldSet { IsMember = IsMember || other.IsMember };
        foreach (var (element, child) in _children)
        {
            result.Attach(element, other.Child(element) is { } same ? child.Union(same) : child);
        }
        foreach (var (element, child) in other._children)
        {
            if (!_children.ContainsKey(element))
            {
                result.Attach(element, child);
            }
        }
        return result;
    }

    public FieldSet Intersect(FieldSet other)
    {
        var result = new FieldSet { IsMember = IsMember && other.IsMember };
        foreach (var (element, child) in _children)
        {
            if (other.Child(element) is { } same)
            {
                result.Attach(element, child.Intersect(same));
            }
        }
        return result;
    }

    /// <summary>The paths of this set that are not in the other set; paths below a path of the other set are kept.</summary>
    public FieldSet Except(FieldSet other)
    {
        var result = new FieldSet { IsMember = IsMember && !other.IsMember };
        foreach (var (element, child) in _children)
        {
            result.Attach(element, other.Child(element) is { } same ? child.Except(same) : child);
        }
        return result;
    }

    /// <summary>The part of the set whose first element is allowed.</summary>
    public FieldSet Only(Func<string, bool> allowed)
    {
        var result = new FieldSet { IsMember = IsMember };
        foreach (var (element, child) in _children.Where(child => allowed(child.Key)))
        {
            result.Attach(element, child);
        }
        return result;
    }

    public bool SameAs(FieldSet other) =>
        IsMember == other.IsMember
        && _children.Count == other._children.Count
        && _children.All(child => other.Child(child.Key) is { } same && child.Value.SameAs(same));

    /// <summary>The set in the FieldsV1 format.</summary>
    public JsonObject ToJson()
    {
        var result = new JsonObject();
        if (IsMember && _children.Count > 0)
        {
            result["."] = new JsonObject();
        }
        foreach (var (element, child) in Ordered())
        {
            result[element] = child.ToJson();
        }
        return result;
    }

    /// <exception cref="FormatException">The object is not in the FieldsV1 format.</exception>
    public static FieldSet Parse(JsonObject fields)
    {
        var result = new FieldSet();
        foreach (var (element, value) in fields)
        {
            var below = value as JsonObject ?? throw new FormatException($"the fields below {element} are not an object");
            if (element == ".")
            {
                result.IsMember = true;
                continue;
            }
            var child = Parse(below);
            child.IsMember |= below.Count == 0;
            result._children[FieldElement.Normalize(element)] = child;
        }
        return result;
    }

    internal void Attach(string element, FieldSet child)
    {
        if (!child.IsEmpty)
        {
            _children[element] = child;
        }
    }

    private IEnumerable<KeyValuePair<string, FieldSet>> Ordered() => _children.OrderBy(child => child.Key, StringComparer.Ordinal);
}
