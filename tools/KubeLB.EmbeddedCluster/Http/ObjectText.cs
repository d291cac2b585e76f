using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Serializes stored objects in an API version.</summary>
internal sealed class ObjectText
{
    private readonly byte[] _prefix;
    private readonly ResourceDefinition _resource;

    public ObjectText(ResourceDefinition resource)
    {
        _resource = resource;
        var kind = $"\"kind\":{JsonSerializer.Serialize(resource.Kind, JsonText.Options)}";
        var version = $"\"apiVersion\":{JsonSerializer.Serialize(resource.ApiVersion, JsonText.Options)}";

        // Kubernetes serializes custom resources from maps, with sorted keys, and built-in kinds from structs.
        _prefix = Encoding.UTF8.GetBytes(resource.Custom is null ? $"{{{kind},{version}," : $"{{{version},{kind},");
    }

    /// <summary>A single object, with kind and apiVersion.</summary>
    public void Write(IBufferWriter<byte> output, StoredObject stored)
    {
        if (_resource.View is { } view)
        {
            var tree = view.FromStorage(stored.ToTree());
            WriteTree(output, ToTree(tree));
            return;
        }
        output.Write(_prefix);
        output.Write(Show(stored).Tail.Span);
    }

    /// <summary>The object as a list item: built-in kinds omit kind and apiVersion there.</summary>
    public void WriteItem(IBufferWriter<byte> output, StoredObject stored)
    {
        if (_resource.Custom is not null)
        {
            Write(output, stored);
            return;
        }
        if (_resource.View is { } view)
        {
            WriteTree(output, view.FromStorage(stored.ToTree()));
            return;
        }
        output.Write("{"u8);
        output.Write(stored.Tail.Span);
    }

    /// <summary>The object as a tree, with kind and apiVersion.</summary>
    public JsonObject ToTree(StoredObject stored) =>
        ToTree(_resource.View is { } view ? view.FromStorage(stored.ToTree()) : Show(stored).ToTree());

    /// <summary>The object in the current schema of the resource.</summary>
    public StoredObject Show(StoredObject stored) => _resource.Custom?.Show(stored) ?? stored;

    private JsonObject ToTree(JsonObject content)
    {
        var result = new JsonObject { ["kind"] = _resource.Kind, ["apiVersion"] = _resource.ApiVersion };
        foreach (var (name, value) in content)
        {
            result[name] = value?.DeepClone();
        }
        return result;
    }

    private static void WriteTree(IBufferWriter<byte> output, JsonObject tree)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        tree.WriteTo(writer);
    }
}
