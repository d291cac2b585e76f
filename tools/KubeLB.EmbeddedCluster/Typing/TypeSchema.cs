using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>
/// The schema of a built-in API type, read once from the model classes of KubernetesClient: members, their form, and how lists merge.
/// </summary>
internal sealed partial class TypeSchema
{
    private static readonly ConcurrentDictionary<Type, TypeSchema> Known = new();
    private static readonly FrozenSet<string> MicroTimes = FrozenSet.Create(
        "renewTime",
        "acquireTime",
        "eventTime",
        "lastObservedTime",
        "pingTime"
    );

    private readonly Type _type;
    private readonly Lazy<FrozenDictionary<string, TypeMember>> _members;
    private readonly Lazy<TypeSchema?> _element;

    private TypeSchema(Type type, ValueForm form, Type? element)
    {
        _type = type;
        Form = form;
        _members = new Lazy<FrozenDictionary<string, TypeMember>>(ReadMembers);
        _element = new Lazy<TypeSchema?>(() => element is null ? null : Of(element));
    }

    public ValueForm Form { get; }

    /// <summary>Members of an object type; empty for other forms.</summary>
    public FrozenDictionary<string, TypeMember> Members => _members.Value;

    /// <summary>Type of a list's items or a map's values.</summary>
    public TypeSchema? Element => _element.Value;

    /// <summary>The Go type name, for decoding errors and OpenAPI.</summary>
    public string GoName => VersionPrefix().Replace(_type.Name, "");

    /// <summary>The Go type for decoding errors.</summary>
    public string GoType =>
        Form switch
        {
            ValueForm.Object => "v1." + GoName,
            ValueForm.List => "[]" + Element!.GoType,
            ValueForm.Map => "map[string]" + Element!.GoType,
            ValueForm.Text => "string",
            ValueForm.Integer => (Nullable.GetUnderlyingType(_type) ?? _type) == typeof(int) ? "int32" : "int64",
            ValueForm.Number => "float64",
            ValueForm.Boolean => "bool",
            ValueForm.Bytes => "[]uint8",
            ValueForm.Time => "v1.Time",
            ValueForm.MicroTime => "v1.MicroTime",
            ValueForm.IntOrString => "intstr.IntOrString",
            ValueForm.Quantity => "resource.Quantity",
            _ => "interface {}",
        };

    /// <summary>The schema of a model class of KubernetesClient.</summary>
    public static TypeSchema Of(Type type) => Known.GetOrAdd(type, Create);

    private static TypeSchema Create(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsGenericType && plain.GetGenericTypeDefinition() is var generic)
        {
            if (generic == typeof(IDictionary<,>) || generic == typeof(Dictionary<,>))
            {
                return new TypeSchema(type, ValueForm.Map, plain.GetGenericArguments()[1]);
            }
            if (generic == typeof(IList<>) || generic == typeof(List<>))
            {
                return new TypeSchema(type, ValueForm.List, plain.GetGenericArguments()[0]);
            }
        }
        var form = plain switch
        {
            _ when plain == typeof(string) => ValueForm.Text,
            _ when plain == typeof(int) || plain == typeof(long) => ValueForm.Integer,
            _ when plain == typeof(double) || plain == typeof(float) => ValueForm.Number,
            _ when plain == typeof(bool) => ValueForm.Boolean,
            _ when plain == typeof(byte[]) => ValueForm.Bytes,
            _ when plain == typeof(DateTime) => ValueForm.Time,
            _ when plain == typeof(IntOrString) => ValueForm.IntOrString,
            _ when plain == typeof(ResourceQuantity) => ValueForm.Quantity,
            _ when plain == typeof(object) => ValueForm.Any,
            _ => ValueForm.Object,
        };
        return new TypeSchema(type, form, null);
    }

    private static readonly TypeSchema MicroTime = new(typeof(DateTime), ValueForm.MicroTime, null);

    private FrozenDictionary<string, TypeMember> ReadMembers()
    {
        var members = new Dictionary<string, TypeMember>(StringComparer.Ordinal);
        if (Form == ValueForm.Object)
        {
            foreach (var property in _type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.GetCustomAttribute<JsonPropertyNameAttribute>() is not { Name: var name })
                {
                    continue;
                }
                var type = Of(property.PropertyType);
                if (type.Form == ValueForm.Time && MicroTimes.Contains(name))
                {
                    type = MicroTime;
                }
                var required = property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null;
                members[name] = new TypeMember(name, type, MergeRules.For(GoName, name), required);
            }
        }
        return members.ToFrozenDictionary(StringComparer.Ordinal);
    }

    [GeneratedRegex(
        "^(Core|Events|Authentication|Resource|Discovery|Admissionregistration|Storage|Rbac|Flowcontrol)?"
            + "[vV][0-9]+((alpha|beta)[0-9]+)?(?=[A-Z])"
    )]
    private static partial Regex VersionPrefix();
}

/// <summary>A member of a built-in type.</summary>
internal sealed record TypeMember(string Name, TypeSchema Type, MergeRule? Merge, bool Required);

internal enum ValueForm
{
    Object,
    List,
    Map,
    Text,
    Integer,
    Number,
    Boolean,
    Bytes,
    Time,
    MicroTime,
    IntOrString,
    Quantity,
    Any,
}
