using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>How a value is merged and owned: as a whole, by member, or by item.</summary>
internal sealed class FieldShape
{
    private readonly Lazy<IReadOnlyDictionary<string, FieldShape>> _members;
    private readonly Lazy<FieldShape?> _element;

    private FieldShape(ShapeForm form, Func<IReadOnlyDictionary<string, FieldShape>>? members = null, Func<FieldShape?>? element = null)
    {
        Form = form;
        _members = new Lazy<IReadOnlyDictionary<string, FieldShape>>(members ?? (() => new Dictionary<string, FieldShape>()));
        _element = new Lazy<FieldShape?>(element ?? (() => null));
    }

    public ShapeForm Form { get; }

    /// <summary>Owned and replaced as a whole.</summary>
    public bool IsAtomic { get; private init; }

    /// <summary>The kinds of a scalar; empty for any.</summary>
    public IReadOnlyList<JsonValueKind> Kinds { get; private init; } = [];

    /// <summary>The members that identify an item of a list; none for a set.</summary>
    public IReadOnlyList<string> Keys { get; private init; } = [];

    /// <summary>A struct of a built-in type: it exists while one of its members does, so it has no owner of its own.</summary>
    public bool IsImplied { get; private init; }

    /// <summary>Default values of absent keys.</summary>
    public IReadOnlyDictionary<string, JsonNode> KeyDefaults { get; private init; } = new Dictionary<string, JsonNode>();

    /// <summary>The declared members of a map.</summary>
    public IReadOnlyDictionary<string, FieldShape> Members => _members.Value;

    /// <summary>Shape of a list's items, or of a map's undeclared members; null if none are allowed.</summary>
    public FieldShape? Element => _element.Value;

    /// <summary>A value without a schema: maps by member, lists as a whole.</summary>
    public static FieldShape Deduced { get; } = new(ShapeForm.Deduced);

    private static FieldShape DeducedMap { get; } = new(ShapeForm.Map, element: () => Deduced);

    private static FieldShape DeducedList { get; } = new(ShapeForm.List, element: () => Deduced) { IsAtomic = true };

    private static FieldShape AnyScalar { get; } = new(ShapeForm.Scalar);

    public static FieldShape Scalar(params IReadOnlyList<JsonValueKind> kinds) =>
        kinds.Count == 0 ? AnyScalar : new FieldShape(ShapeForm.Scalar) { Kinds = kinds };

    public static FieldShape Map(
        Func<IReadOnlyDictionary<string, FieldShape>>? members,
        Func<FieldShape?>? element,
        bool atomic,
        bool implied = false
    ) => new(ShapeForm.Map, members, element) { IsAtomic = atomic, IsImplied = implied };

    public static FieldShape AtomicList(Func<FieldShape?> element) => new(ShapeForm.List, element: element) { IsAtomic = true };

    public static FieldShape Set(Func<FieldShape?> element) => new(ShapeForm.List, element: element);

    public static FieldShape KeyedList(
        Func<FieldShape?> element,
        IReadOnlyList<string> keys,
        IReadOnlyDictionary<string, JsonNode> defaults
    ) => new(ShapeForm.List, element: element) { Keys = keys, KeyDefaults = defaults };

    /// <summary>Shape of a member, and whether it is declared; the shape of an undeclared member is deduced from its value.</summary>
    public FieldShape Member(string name, out bool declared)
    {
        declared = Members.TryGetValue(name, out var shape);
        return shape ?? Element ?? Deduced;
    }

    /// <summary>Whether the schema declares the member.</summary>
    public bool Allows(string name) => Element is not null || Members.ContainsKey(name);

    /// <summary>The shape resolved for these values; either may be null.</summary>
    public FieldShape For(JsonNode? value, JsonNode? other = null) =>
        Form != ShapeForm.Deduced
            ? this
            : (value ?? other) switch
            {
                JsonObject => DeducedMap,
                JsonArray => DeducedList,
                _ => AnyScalar,
            };

    /// <summary>Whether a value is absent or has the form of the shape.</summary>
    public bool Fits(JsonNode? value) =>
        value is null
        || Form switch
        {
            ShapeForm.Map => value is JsonObject,
            ShapeForm.List => value is JsonArray,
            ShapeForm.Scalar => value is JsonValue,
            _ => true,
        };
}

/// <summary>The kinds of a <see cref="FieldShape"/>.</summary>
internal enum ShapeForm
{
    Scalar,
    Map,
    List,

    /// <summary>Deduced from the value.</summary>
    Deduced,
}
