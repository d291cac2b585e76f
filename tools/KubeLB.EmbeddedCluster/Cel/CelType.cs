using KubeLB.EmbeddedCluster.CustomResources;

namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>The kinds of types.</summary>
internal enum CelKind
{
    /// <summary>Any type; checked when the expression is evaluated.</summary>
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    List,
    Map,
    Object,
    Optional,
}

/// <summary>The type of an expression.</summary>
internal sealed class CelType
{
    public static readonly CelType Dyn = new(CelKind.Dyn);
    public static readonly CelType Null = new(CelKind.Null);
    public static readonly CelType Bool = new(CelKind.Bool);
    public static readonly CelType Int = new(CelKind.Int);
    public static readonly CelType Uint = new(CelKind.Uint);
    public static readonly CelType Double = new(CelKind.Double);
    public static readonly CelType String = new(CelKind.String);
    public static readonly CelType Bytes = new(CelKind.Bytes);
    public static readonly CelType Duration = new(CelKind.Duration);
    public static readonly CelType Timestamp = new(CelKind.Timestamp);

    private static readonly Dictionary<string, CelType> NoFields = [];

    private CelType(CelKind kind) => Kind = kind;

    public CelKind Kind { get; }

    /// <summary>The type of the elements of a list, the values of a map, or the value of an optional.</summary>
    public CelType Element { get; private init; } = null!;

    /// <summary>The type of the keys of a map.</summary>
    public CelType Key { get; private init; } = null!;

    /// <summary>The fields of an object by escaped name.</summary>
    public IReadOnlyDictionary<string, CelField> Fields { get; private init; } = new Dictionary<string, CelField>();

    /// <summary>The types of an object's properties by property name.</summary>
    public IReadOnlyDictionary<string, CelType> Properties { get; private init; } = NoFields;

    /// <summary>The list type (atomic, set, map) of a list of an API object.</summary>
    public string? ListType { get; private init; }

    /// <summary>The keys of a list of type map.</summary>
    public IReadOnlyList<string> ListMapKeys { get; private init; } = [];

    public static CelType List(CelType element) => new(CelKind.List) { Element = element };

    public static CelType Map(CelType key, CelType value) => new(CelKind.Map) { Key = key, Element = value };

    public static CelType Optional(CelType value) => new(CelKind.Optional) { Element = value };

    /// <summary>The type of a value with a schema; null if expressions cannot access such values, because their type is unknown.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="isResource">Whether the value is an API object, with apiVersion, kind and metadata.</param>
    public static CelType? Of(SchemaNode schema, bool isResource)
    {
        if (schema.IntOrString)
        {
            return Dyn;
        }
        switch (schema.Type)
        {
            case "array":
                return schema.Items is { } items && Of(items, items.EmbeddedResource) is { } element
                    ? new CelType(CelKind.List)
                    {
                        Element = element,
                        ListType = schema.ListType,
                        ListMapKeys = schema.ListMapKeys,
                    }
                    : null;
            case "object" when schema.Additional is { } additional:
                return Of(additional, additional.EmbeddedResource) is { } value ? Map(String, value) : null;
            case "object":
                return ObjectOf(schema, isResource || schema.EmbeddedResource);
            case "string":
                return schema.Format switch
                {
                    "byte" => Bytes,
                    "date" or "date-time" or "datetime" => Timestamp,
                    "duration" => Duration,
                    _ => String,
                };
            case "boolean":
                return Bool;
            case "integer":
                return Int;
            case "number":
                return Double;
            default:
                return schema.EmbeddedResource ? ObjectOf(schema, true) : null;
        }
    }

    private static CelType ObjectOf(SchemaNode schema, bool isResource)
    {
        var properties = new Dictionary<string, CelType>(StringComparer.Ordinal);
        foreach (var (name, property) in schema.Properties)
        {
            if (Of(property, property.EmbeddedResource) is { } type)
            {
                properties[name] = type;
            }
        }
        if (isResource)
        {
            properties["apiVersion"] = String;
            properties["kind"] = String;
            properties["metadata"] = WithProperties(new() { ["name"] = String, ["generateName"] = String });
        }
        return WithProperties(properties);
    }

    private static CelType WithProperties(Dictionary<string, CelType> properties)
    {
        var fields = new Dictionary<string, CelField>(StringComparer.Ordinal);
        foreach (var (name, type) in properties)
        {
            if (CelNames.Escape(name) is { } escaped)
            {
                fields[escaped] = new CelField(name, type);
            }
        }
        return new CelType(CelKind.Object) { Fields = fields, Properties = properties };
    }

    /// <summary>Whether values of the two types can be compared or be alternatives of one expression.</summary>
    public bool IsCompatibleWith(CelType other)
    {
        if (Kind == CelKind.Dyn || other.Kind == CelKind.Dyn || ReferenceEquals(this, other))
        {
            return true;
        }
        // Fields of each type can be nullable.
        if (Kind == CelKind.Null || other.Kind == CelKind.Null)
        {
            return true;
        }
        if (Kind != other.Kind)
        {
            return false;
        }
        return Kind switch
        {
            CelKind.List or CelKind.Optional => Element.IsCompatibleWith(other.Element),
            CelKind.Map => Key.IsCompatibleWith(other.Key) && Element.IsCompatibleWith(other.Element),
            CelKind.Object => Fields.Count == other.Fields.Count
                && Fields.All(field => other.Fields.TryGetValue(field.Key, out var same) && field.Value.Type.IsCompatibleWith(same.Type)),
            _ => true,
        };
    }

    /// <summary>The type of an expression that is of one of two compatible types.</summary>
    public static CelType Join(CelType left, CelType right) =>
        ReferenceEquals(left, right) ? left
        : left.Kind == CelKind.Dyn || right.Kind == CelKind.Dyn ? Dyn
        : left.Kind == CelKind.Null ? right
        : right.Kind == CelKind.Null ? left
        : left.Kind == CelKind.List ? List(Join(left.Element, right.Element))
        : left.Kind == CelKind.Map ? Map(Join(left.Key, right.Key), Join(left.Element, right.Element))
        : left;

    public override string ToString() =>
        Kind switch
        {
            CelKind.List => $"list({Element})",
            CelKind.Map => $"map({Key}, {Element})",
            CelKind.Optional => $"optional_type({Element})",
            CelKind.Duration => "google.protobuf.Duration",
            CelKind.Timestamp => "google.protobuf.Timestamp",
            _ => Kind.ToString().ToLowerInvariant(),
        };
}

/// <summary>A field of an object.</summary>
/// <param name="Property">The property's name in JSON.</param>
/// <param name="Type">Its type.</param>
internal sealed record CelField(string Property, CelType Type);
