using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Sandbox.Manifests;

/// <summary>Reads Kubernetes manifests.</summary>
internal static class ManifestYaml
{
    /// <summary>The objects of a YAML text with one or several documents.</summary>
    /// <exception cref="FormatException">The text is not YAML or holds something else than objects.</exception>
    public static IReadOnlyList<JsonObject> Read(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return
            [
                .. stream.Documents.Select(d =>
                    Convert(d.RootNode) as JsonObject ?? throw new FormatException("A document is not an object.")
                ),
            ];
        }
        catch (YamlException e)
        {
            throw new FormatException($"Not valid YAML at line {e.Start.Line}: {e.Message}", e);
        }
    }

    private static JsonNode? Convert(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new JsonObject(
                mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", Convert(c.Value)))
            ),
            YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
            YamlScalarNode scalar => Convert(scalar),
            _ => throw new FormatException($"{node.NodeType} is not supported in manifests."),
        };

    private static JsonValue? Convert(YamlScalarNode scalar)
    {
        var value = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(value);
        }

        return value switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => JsonValue.Create(
                integer
            ),
            _ when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            _ => JsonValue.Create(value),
        };
    }
}
