using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KubeLB.EmbeddedCluster.Json;

/// <summary>Parses YAML documents into JSON trees, with YAML 1.1 scalars like Go's sigs.k8s.io/yaml.</summary>
internal static partial class YamlReading
{
    /// <summary>Every non-empty document of a stream.</summary>
    /// <exception cref="FormatException">The text is not valid YAML; the message contains the line.</exception>
    public static IEnumerable<JsonNode> ParseAll(string yaml, JsonFindings? findings = null)
    {
        var documents = new List<JsonNode>();
        try
        {
            var parser = new Parser(new StringReader(yaml));
            parser.Consume<StreamStart>();
            while (!parser.Accept<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                if (ReadNode(parser, new Reading(findings), "", 0) is { } node)
                {
                    documents.Add(node);
                }
                parser.Consume<DocumentEnd>();
            }
        }
        catch (YamlException exception)
        {
            throw new FormatException($"error converting YAML to JSON: yaml: line {exception.Start.Line}: {exception.Message}", exception);
        }
        return documents;
    }

    /// <summary>Whether a plain scalar is parsed as this string.</summary>
    public static bool IsPlainText(string text) =>
        PlainText().IsMatch(text)
        && Resolve(new Scalar(text)) is { } value
        && value.GetValueKind() == System.Text.Json.JsonValueKind.String
        && !Timestamp().IsMatch(text);

    private static JsonNode? ReadNode(Parser parser, Reading reading, string path, int depth)
    {
        if (depth > JsonReading.MaxDepth)
        {
            throw new FormatException("error converting YAML to JSON: exceeded max depth");
        }
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return reading.Anchors.TryGetValue(alias.Value, out var known)
                ? reading.Repeat(known)
                : throw new FormatException($"error converting YAML to JSON: yaml: unknown anchor '{alias.Value}' referenced");
        }
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            return Remember(scalar.Anchor, Resolve(scalar), reading);
        }
        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var array = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                array.Add(ReadNode(parser, reading, reading.Findings is null ? "" : $"{path}[{array.Count}]", depth + 1));
            }
            return Remember(sequence.Anchor, array, reading);
        }
        var mapping = parser.Consume<MappingStart>();
        var result = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>().Value;
            var valuePath = reading.Findings is null || path.Length == 0 ? key : $"{path}.{key}";
            var value = ReadNode(parser, reading, valuePath, depth + 1);
            if (key == "<<" && value is JsonObject merged)
            {
                foreach (var (name, inherited) in merged)
                {
                    result.TryAdd(name, inherited?.DeepClone());
                }
                continue;
            }
            if (result.ContainsKey(key))
            {
                reading.Findings?.Duplicates.Add(valuePath);
            }
            result[key] = value;
        }
        return Remember(mapping.Anchor, result, reading);
    }

    private static JsonNode? Remember(AnchorName anchor, JsonNode? node, Reading reading)
    {
        if (!anchor.IsEmpty)
        {
            reading.Anchors[anchor] = reading.Repeat(node);
        }
        return node;
    }

    private static JsonValue? Resolve(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any))
        {
            return JsonValue.Create(text);
        }
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
        }
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
        {
            return JsonValue.Create(integer);
        }
        if (
            text.StartsWith("0x", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex)
        )
        {
            return JsonValue.Create(hex);
        }
        if (!Float().IsMatch(text) || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return JsonValue.Create(text);
        }
        return double.IsFinite(number)
            ? JsonValue.Create(number)
            : throw new FormatException($"error converting YAML to JSON: json: unsupported value: {text}");
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();

    [GeneratedRegex(@"^[A-Za-z0-9_./][A-Za-z0-9_./@ +()=-]*(:[A-Za-z0-9_./@+=-]+)*\z")]
    private static partial Regex PlainText();

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}")]
    private static partial Regex Timestamp();

    /// <summary>State of a document that is being parsed.</summary>
    private sealed class Reading(JsonFindings? findings)
    {
        /// <summary>Maximum size of all values that aliases and anchors repeat: the largest body is 3 MiB without aliases.</summary>
        private const int MaxRepeated = 3 * 1024 * 1024;

        // Size of a value without its text, so that many small values are limited too.
        private const int ValueSize = 8;

        private int _repeated;

        public JsonFindings? Findings => findings;

        public Dictionary<AnchorName, JsonNode?> Anchors { get; } = [];

        public JsonNode? Repeat(JsonNode? node)
        {
            _repeated += SizeOf(node);
            return _repeated <= MaxRepeated
                ? node?.DeepClone()
                : throw new FormatException("error converting YAML to JSON: yaml: document contains excessive aliasing");
        }

        // Characters of keys and values. A node that was read is not larger than the body and all repeated values, so this cannot overflow.
        private static int SizeOf(JsonNode? node) =>
            node switch
            {
                JsonObject tree => ValueSize + tree.Sum(member => member.Key.Length + SizeOf(member.Value)),
                JsonArray list => ValueSize + list.Sum(SizeOf),
                JsonValue value when value.TryGetValue<string>(out var text) => ValueSize + text.Length,
                _ => ValueSize,
            };
    }
}
