using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KubeLB.EmbeddedCluster.Json;

/// <summary>Writes JSON trees as YAML with sorted keys, like Go's sigs.k8s.io/yaml.</summary>
internal static class YamlWriting
{
    public static byte[] FromJson(JsonNode? node)
    {
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text);
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart());
        Write(emitter, node);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject tree:
                emitter.Emit(
                    new MappingStart(AnchorName.Empty, TagName.Empty, true, tree.Count == 0 ? MappingStyle.Flow : MappingStyle.Block)
                );
                foreach (var (name, value) in tree.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    WriteText(emitter, name);
                    Write(emitter, value);
                }
                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(
                    new SequenceStart(AnchorName.Empty, TagName.Empty, true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block)
                );
                foreach (var item in list)
                {
                    Write(emitter, item);
                }
                emitter.Emit(new SequenceEnd());
                break;
            case not null when node.GetValueKind() == JsonValueKind.String:
                WriteText(emitter, node.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, node?.ToJsonString() ?? "null", ScalarStyle.Plain, true, false));
                break;
        }
    }

    private static void WriteText(Emitter emitter, string text)
    {
        var style =
            text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal
            : YamlReading.IsPlainText(text) ? ScalarStyle.Plain
            : ScalarStyle.DoubleQuoted;
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, style, true, true));
    }
}
