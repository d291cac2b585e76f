using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The difference between two states of an object, field by field.</summary>
internal sealed class FieldComparison
{
    private readonly List<string> _path = [];

    private FieldComparison() { }

    public FieldSet Added { get; private set; } = new();

    public FieldSet Modified { get; private set; } = new();

    public FieldSet Removed { get; private set; } = new();

    /// <summary>Fields that were added or have a new value.</summary>
    public FieldSet Written => Added.Union(Modified);

    public static FieldComparison Of(JsonObject old, JsonObject tree, FieldShape shape)
    {
        var result = new FieldComparison();
        result.CompareMaps(old, tree, shape);
        return result;
    }

    /// <summary>The comparison reduced to the fields whose first element is allowed.</summary>
    public FieldComparison Only(Func<string, bool> allowed) =>
        new()
        {
            Added = Added.Only(allowed),
            Modified = Modified.Only(allowed),
            Removed = Removed.Only(allowed),
        };

    private void Compare(Slot old, Slot value, FieldShape declared)
    {
        var shape = declared.For(value.Value, old.Value);
        if (!shape.Fits(old.Value) || !shape.Fits(value.Value))
        {
            CompareForms(old, value, declared);
            return;
        }
        var isLeaf = shape switch
        {
            { Form: ShapeForm.Scalar } or { IsAtomic: true } => true,
            { Form: ShapeForm.Map } => old.Value is not JsonObject { Count: > 0 } && value.Value is not JsonObject { Count: > 0 },
            _ => old.Value is not JsonArray { Count: > 0 } && value.Value is not JsonArray { Count: > 0 },
        };
        if (!isLeaf && shape.Form == ShapeForm.Map)
        {
            CompareMaps(old.Value as JsonObject, value.Value as JsonObject, shape);
        }
        else if (!isLeaf)
        {
            isLeaf = !CompareLists(old.Value as JsonArray, value.Value as JsonArray, shape);
        }
        if (!old.Exists)
        {
            if (isLeaf || !shape.IsImplied)
            {
                Added.Insert(_path);
            }
        }
        else if (!value.Exists)
        {
            Removed.Insert(_path);
        }
        else if (isLeaf && !JsonAccess.Same(old.Value, value.Value))
        {
            Modified.Insert(_path);
        }
    }

    /// <summary>A value whose form changed: all old fields below it are removed, all new ones are added.</summary>
    private void CompareForms(Slot old, Slot value, FieldShape shape)
    {
        if (!old.Exists || !value.Exists)
        {
            (old.Exists ? Removed : Added).Insert(_path);
            return;
        }
        foreach (var (side, isNew) in new[] { (old.Value, false), (value.Value, true) })
        {
            if (side is JsonObject tree && shape.For(tree) is { Form: ShapeForm.Map, IsAtomic: false } map)
            {
                CompareMaps(isNew ? null : tree, isNew ? tree : null, map);
            }
        }
        Modified.Insert(_path);
    }

    private void CompareMaps(JsonObject? old, JsonObject? tree, FieldShape shape)
    {
        foreach (var (name, item) in old ?? [])
        {
            var exists = tree is not null && tree.ContainsKey(name);
            Descend(
                FieldElement.Member(name),
                new Slot(true, item),
                new Slot(exists, exists ? tree![name] : null),
                shape.Member(name, out _)
            );
        }
        foreach (var (name, item) in tree ?? [])
        {
            if (old is null || !old.ContainsKey(name))
            {
                Descend(FieldElement.Member(name), default, new Slot(true, item), shape.Member(name, out _));
            }
        }
    }

    /// <returns>Whether every item has a unique path element.</returns>
    private bool CompareLists(JsonArray? old, JsonArray? list, FieldShape shape)
    {
        if (ListItems.Index(shape, old) is not { } before || ListItems.Index(shape, list) is not { } after)
        {
            return false;
        }
        foreach (var element in before.Keys.Union(after.Keys))
        {
            var was = before.GetValueOrDefault(element) ?? [];
            var now = after.GetValueOrDefault(element) ?? [];
            if (was.Count <= 1 && now.Count <= 1)
            {
                Descend(element, Slot.Of(was), Slot.Of(now), shape.Element!);
                continue;
            }
            CompareDuplicates(element, was, now, shape);
        }
        return true;
    }

    /// <summary>Items with the same key have one owner.</summary>
    private void CompareDuplicates(string element, List<JsonNode?> was, List<JsonNode?> now, FieldShape shape)
    {
        var path = (string[])[.. _path, element];
        if (was.Count > 1 && now.Count > 1)
        {
            if (was.Count != now.Count || was.Zip(now).Any(pair => !JsonAccess.Same(pair.First, pair.Second)))
            {
                Modified.Insert(path);
            }
        }
        else if (was.Count > 1)
        {
            if (now.Count == 1)
            {
                Descend(element, default, Slot.Of(now), shape.Element!);
            }
            else
            {
                Removed.Insert(path);
            }
        }
        else
        {
            if (was.Count == 1)
            {
                Descend(element, Slot.Of(was), default, shape.Element!);
            }
            Added.Insert(path);
        }
    }

    private void Descend(string element, Slot old, Slot value, FieldShape shape)
    {
        _path.Add(element);
        Compare(old, value, shape);
        _path.RemoveAt(_path.Count - 1);
    }

    /// <summary>A value that may be absent; absent differs from null.</summary>
    private readonly record struct Slot(bool Exists, JsonNode? Value)
    {
        public static Slot Of(List<JsonNode?> items) => items.Count == 0 ? default : new Slot(true, items[0]);
    }
}
