using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KubeLB.EmbeddedCluster.Json;

/// <summary>Reads YAML documents (YAML 1.1 scalars as Go's sigs.k8s.io/yaml resolves them) into JSON trees.</summary>
internal static partial class YamlReading
{
    /// <summary>Every non-empty document of a stream.</summary>
    /// <exception cref="FormatException">The text is not YAML; the message says where.</exception>
    public static IEnumerable<JsonNode> ParseAll(string yaml)
    {
        var documents = new List<JsonNode>();
        try
        {
            var parser = new Parser(new StringReader(yaml));
            parser.Consume<StreamStart>();
            while (!parser.Accept<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                if (ReadNode(parser, new Dictionary<AnchorName, JsonNode?>(), 0) is { } node)
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

    /// <summary>Whether a string may stand without quotes and still be read as that string.</summary>
    public static bool IsPlainText(string text) =>
        PlainText().IsMatch(text) && Resolve(new Scalar(text)) is { } value && value.GetValueKind() == System.Text.Json.JsonValueKind.String
        && !Timestamp().IsMatch(text);

    private static JsonNode? ReadNode(Parser parser, Dictionary<AnchorName, JsonNode?> anchors, int depth)
    {
        if (depth > JsonReading.MaxDepth)
        {
            throw new FormatException("error converting YAML to JSON: exceeded max depth");
        }
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return anchors.TryGetValue(alias.Value, out var known)
                ? known?.DeepClone()
                : throw new FormatException($"error converting YAML to JSON: yaml: unknown anchor '{alias.Value}' referenced");
        }
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            return Remember(scalar.Anchor, Resolve(scalar), anchors);
        }
        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var array = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                array.Add(ReadNode(parser, anchors, depth + 1));
            }
            return Remember(sequence.Anchor, array, anchors);
        }
        var mapping = parser.Consume<MappingStart>();
        var result = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>().Value;
            var value = ReadNode(parser, anchors, depth + 1);
            if (key == "<<" && value is JsonObject merged)
            {
                foreach (var (name, inherited) in merged)
                {
                    result.TryAdd(name, inherited?.DeepClone());
                }
                continue;
            }
            result[key] = value;
        }
        return Remember(mapping.Anchor, result, anchors);
    }

    private static JsonNode? Remember(AnchorName anchor, JsonNode? node, Dictionary<AnchorName, JsonNode?> anchors)
    {
        if (!anchor.IsEmpty)
        {
            anchors[anchor] = node?.DeepClone();
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
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex))
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
}
