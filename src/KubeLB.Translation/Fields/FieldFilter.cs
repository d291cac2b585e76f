using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Fields;

/// <summary>
/// Copies the fields of a tenant's spec that may reach a generated object: those with a decision in the table of the kind. The rest is
/// reported.
/// </summary>
internal sealed class FieldFilter
{
    /// <summary>The maximum number of ignored fields that are reported by name.</summary>
    public const int MaxReported = 20;

    private readonly List<string> _ignored = [];
    private readonly List<string> _path = ["spec"];

    private FieldFilter() { }

    /// <summary>The fields that were not copied, without those that reject the object; at most <see cref="MaxReported"/>.</summary>
    public IReadOnlyList<string> Ignored => _ignored;

    /// <summary>The number of fields that were not copied.</summary>
    public int IgnoredCount { get; private set; }

    /// <summary>The first text with a control character; null if there is none. The object cannot be served without it.</summary>
    public Rejection? InvalidText { get; private set; }

    /// <summary>The first field that rejects the object; null if there is none. A Gateway can be served without it.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>The copy.</summary>
    public JsonObject Spec { get; private set; } = [];

    /// <summary>Filters a spec.</summary>
    /// <param name="table">The decisions of the kind.</param>
    /// <param name="spec">The tenant's spec, without JSON nulls; null if there is none.</param>
    /// <exception cref="JsonException">A field has the wrong JSON type.</exception>
    public static FieldFilter Apply(FieldTable table, JsonNode? spec)
    {
        var filter = new FieldFilter();
        if (spec is not null)
        {
            filter.Spec = filter.CopyFields(spec as JsonObject ?? throw filter.WrongType("an object"), table.Root, unknown: null);
        }

        return filter;
    }

    private JsonObject CopyFields(JsonObject json, FieldNode node, FieldNode? unknown)
    {
        var copy = new JsonObject();
        unknown = node.Find(FieldTable.AnyOther) ?? unknown;
        foreach (var (name, value) in json)
        {
            _path.Add($".{name}");
            if (value is not null && Copy(value, node.Find(name) ?? unknown, unknown) is { } copied)
            {
                copy[name] = copied;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return copy;
    }

    private JsonNode? Copy(JsonNode value, FieldNode? node, FieldNode? unknown)
    {
        switch (node?.Rule)
        {
            case { Decision: FieldDecision.Rejected } rule:
                // An empty list asks for nothing.
                if (value is not JsonArray { Count: 0 })
                {
                    Rejection ??= new Rejection(rule.Reason, FieldMessages.Unsupported(Path, rule.Note));
                }

                return null;
            case { IsReplacedObject: true }:
                return null;
            case { Decision: not FieldDecision.Ignored }:
                return CopyValue(value);
        }

        if (node is { HasFields: true })
        {
            return value switch
            {
                // An object of which nothing is left is left out as well.
                JsonObject json => CopyFields(json, node, unknown) is var copy && (copy.Count > 0 || json.Count == 0) ? copy : null,
                JsonArray items => CopyItems(items, node, unknown),
                _ => throw WrongType("an object or an array of objects"),
            };
        }

        IgnoredCount++;
        if (_ignored.Count < MaxReported)
        {
            _ignored.Add(Path);
        }

        return null;
    }

    private JsonArray CopyItems(JsonArray items, FieldNode node, FieldNode? unknown)
    {
        var copy = new JsonArray();
        for (var i = 0; i < items.Count; i++)
        {
            _path.Add($"[{i}]");
            copy.Add((JsonNode)CopyFields(items[i] as JsonObject ?? throw WrongType("an object"), node, unknown));
            _path.RemoveAt(_path.Count - 1);
        }

        return copy;
    }

    // A number, text or boolean, or a list of them. An object would have fields without a decision.
    private JsonNode CopyValue(JsonNode value)
    {
        IEnumerable<JsonNode?> items = value as JsonArray ?? (IEnumerable<JsonNode?>)[value];
        foreach (var item in items)
        {
            var scalar = item as JsonValue ?? throw WrongType("a value or an array of values");
            if (scalar.TryGetValue<string>(out var characters) && characters.Any(c => char.IsControl(c) && c != '\t'))
            {
                InvalidText ??= new Rejection(GatewayConditions.UnsupportedValue, FieldMessages.ControlCharacter(Path));
            }
        }

        return value.DeepClone();
    }

    private string Path => string.Concat(_path);

    private JsonException WrongType(string expected) => new(FieldMessages.WrongType(Path, expected));
}
