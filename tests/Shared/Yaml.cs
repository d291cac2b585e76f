using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Tests.Shared;

/// <summary>Manifests as kubectl reads and writes them: YAML documents to JSON and back, with quoted and plain scalars distinct.</summary>
public static class Yaml
{
    private static readonly string[] TopLevelOrder = ["apiVersion", "kind", "metadata", "spec", "status"];

    /// <summary>The documents of a text, in order; empty ones are left out.</summary>
    /// <exception cref="YamlException">The text is not YAML.</exception>
    public static IReadOnlyList<JsonObject> Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(d => Convert(d.RootNode)).OfType<JsonObject>()];
    }

    /// <summary>The documents as one text: the usual order of top-level fields, block style, LF.</summary>
    public static string Write(IEnumerable<JsonObject> documents)
    {
        var texts = documents.Select(document =>
        {
            var output = new StringWriter { NewLine = "\n" };
            new YamlStream(new YamlDocument(Convert(Ordered(document)))).Save(output, assignAnchors: false);
            return output.ToString().ReplaceLineEndings("\n").Replace("...\n", "", StringComparison.Ordinal);
        });
        return string.Join("---\n", texts);
    }

    private static JsonObject Ordered(JsonObject document) =>
        new(
            document
                .OrderBy(p => Array.IndexOf(TopLevelOrder, p.Key) is >= 0 and var place ? place : TopLevelOrder.Length)
                .Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
        );

    private static JsonNode? Convert(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new JsonObject(
                mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, Convert(c.Value)))
            ),
            YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
            YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
            YamlScalarNode quoted => JsonValue.Create(quoted.Value),
            _ => throw new YamlException($"A {node.NodeType} is not expected in a manifest."),
        };

    private static JsonValue? Plain(string text) =>
        text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(
                number
            ),
            _ => JsonValue.Create(text),
        };

    private static YamlNode Convert(JsonNode? node) =>
        node switch
        {
            null => new YamlScalarNode("null"),
            JsonObject json => new YamlMappingNode(json.SelectMany(p => new[] { new YamlScalarNode(p.Key), Convert(p.Value) })),
            JsonArray array => new YamlSequenceNode(array.Select(Convert)),
            _ when node.GetValueKind() == JsonValueKind.String => Text(node.GetValue<string>()),
            _ => new YamlScalarNode(node.ToJsonString()),
        };

    // A text that would be read as something else is quoted.
    private static YamlScalarNode Text(string text) =>
        new(text)
        {
            Style =
                text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal
                : NeedsQuotes(text) ? ScalarStyle.DoubleQuoted
                : ScalarStyle.Plain,
        };

    private static bool NeedsQuotes(string text) =>
        Plain(text) is not { } plain
        || plain.GetValueKind() != JsonValueKind.String
        || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
        || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _)
        || text.ToLowerInvariant() is "true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n"
        || text[0] is '*' or '&' or '!' or '%' or '@' or '`' or '"' or '\'' or '{' or '[' or '|' or '>' or '#' or '-' or '?' or ':' or ','
        || text.Contains(": ", StringComparison.Ordinal)
        || text.Contains(" #", StringComparison.Ordinal)
        || text.EndsWith(':')
        || text != text.Trim();
}
