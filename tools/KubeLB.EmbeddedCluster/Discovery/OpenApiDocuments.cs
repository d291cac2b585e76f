using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.Discovery;

/// <summary>The OpenAPI documents that kubectl uses for validation, apply and explain.</summary>
internal sealed class OpenApiDocuments(ResourceRegistry registry)
{
    /// <summary>The media type that kubectl requests.</summary>
    public const string V2ProtobufAccepted = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

    /// <summary>The media type of the response: the same without the character that is invalid in a media type.</summary>
    public const string V2ProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private readonly ConcurrentDictionary<(string Group, string Version, long Generation), byte[]> _documents = new();

    /// <summary>The index of the OpenAPI v3 documents.</summary>
    public JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var (group, version) in registry.All.Select(resource => (resource.Group, resource.Version)).Distinct())
        {
            var path = group.Length == 0 ? $"api/{version}" : $"apis/{group}/{version}";
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={Hash(group, version)}" };
        }
        return new JsonObject { ["paths"] = paths };
    }

    /// <summary>The document of one API version; null when it is not served.</summary>
    public byte[]? Document(string group, string version)
    {
        var resources = registry.All.Where(resource => resource.Group == group && resource.Version == version).ToList();
        if (resources.Count == 0)
        {
            return null;
        }
        var generation = resources[0].Custom is null ? 0 : registry.Generation;
        return _documents.GetOrAdd(
            (group, version, generation),
            _ =>
            {
                foreach (var old in _documents.Keys.Where(key => key.Group == group && key.Version == version))
                {
                    _documents.TryRemove(old, out byte[]? _);
                }
                return JsonText.Bytes(new OpenApiWriter(group, version).Write(resources));
            }
        );
    }

    /// <summary>OpenAPI v2 without paths: kubectl then uses v3.</summary>
    public static JsonObject V2() =>
        new()
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "unversioned" },
            ["paths"] = new JsonObject(),
            ["definitions"] = new JsonObject(),
        };

    /// <summary>The same in protobuf, which kubectl requests: swagger, info (title, version), paths.</summary>
    public static byte[] V2Protobuf()
    {
        var title = "Kubernetes"u8;
        var version = "unversioned"u8;
        var info = new List<byte> { 0x0a, (byte)title.Length };
        info.AddRange(title);
        info.Add(0x12);
        info.Add((byte)version.Length);
        info.AddRange(version);
        return [0x0a, 3, .. "2.0"u8, 0x12, (byte)info.Count, .. info, 0x42, 0];
    }

    private string Hash(string group, string version)
    {
        var seed = registry.All.Any(resource => resource.Group == group && resource.Version == version && resource.Custom is not null)
            ? registry.Generation
            : 0;
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{group}/{version}/{seed}")));
    }
}
