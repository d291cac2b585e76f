using System.Globalization;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Patching;

/// <summary>RFC 6902.</summary>
internal static class JsonPatch
{
    private const int MaxOperations = 10_000;

    // In characters. Each copy can double the object.
    private const int MaxCopied = 3 * 1024 * 1024;

    /// <exception cref="ApiException">
    /// 400 for a malformed operation, 422 for one that cannot be applied or copies too much, 413 for too many operations.
    /// </exception>
    public static JsonObject Apply(JsonObject target, JsonArray operations)
    {
        if (operations.Count > MaxOperations)
        {
            throw new ApiException(
                new ApiStatus(
                    413,
                    "RequestEntityTooLarge",
                    $"Request entity too large: The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}"
                )
            );
        }
        JsonNode? root = target;
        var copied = 0L;
        foreach (var operation in operations)
        {
            if (operation is not JsonObject step)
            {
                throw ApiErrors.BadRequest("json: cannot unmarshal into Go value of type jsonpatch.Operation");
            }
            root = Apply(root, step, ref copied);
        }
        return root as JsonObject ?? throw ApiErrors.Unprocessable();
    }

    private static JsonNode? Apply(JsonNode? root, JsonObject step, ref long copied)
    {
        var path = Pointer(step.Text("path") ?? throw ApiErrors.Unprocessable());
        switch (step.Text("op"))
        {
            case "add":
                return Add(root, path, step["value"]?.DeepClone());
            case "remove":
                return Remove(root, path);
            case "replace":
                Read(root, path);
                if (path.Length == 0)
                {
                    return step["value"]?.DeepClone();
                }
                return Replace(root, path, step["value"]?.DeepClone());
            case "move":
                var from = Pointer(step.Text("from") ?? throw ApiErrors.Unprocessable());
                var moved = Read(root, from)?.DeepClone();
                return Add(Remove(root, from), path, moved);
            case "copy":
                var source = Read(root, Pointer(step.Text("from") ?? throw ApiErrors.Unprocessable()));
                copied += source?.ToJsonString().Length ?? 0;
                return copied <= MaxCopied ? Add(root, path, source?.DeepClone()) : throw ApiErrors.Unprocessable();
            case "test":
                if (!JsonNode.DeepEquals(ReadOrNull(root, path), step["value"]))
                {
                    throw ApiErrors.Unprocessable();
                }
                return root;
            default:
                throw ApiErrors.Unprocessable();
        }
    }

    private static string[] Pointer(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }
        if (text[0] != '/')
        {
            throw ApiErrors.Unprocessable();
        }
        return
        [
            .. text[1..]
                .Split('/')
                .Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)),
        ];
    }

    private static JsonNode? Add(JsonNode? root, string[] path, JsonNode? value)
    {
        ThrowIfTooDeep(path, value);
        if (path.Length == 0)
        {
            return value;
        }
        switch (Read(root, path[..^1]))
        {
            case JsonObject parent:
                parent[path[^1]] = value;
                break;
            case JsonArray list when path[^1] == "-":
                list.Add(value);
                break;
            case JsonArray list:
                list.Insert(Index(path[^1], list.Count), value);
                break;
            default:
                throw ApiErrors.Unprocessable();
        }
        return root;
    }

    private static JsonNode? Remove(JsonNode? root, string[] path)
    {
        switch (path.Length == 0 ? null : Read(root, path[..^1]))
        {
            case JsonObject parent when parent.ContainsKey(path[^1]):
                parent.Remove(path[^1]);
                return root;
            case JsonArray list:
                list.RemoveAt(Index(path[^1], list.Count - 1));
                return root;
            default:
                throw ApiErrors.Unprocessable();
        }
    }

    private static JsonNode? Replace(JsonNode? root, string[] path, JsonNode? value)
    {
        if (Read(root, path[..^1]) is JsonArray list)
        {
            ThrowIfTooDeep(path, value);
            list[Index(path[^1], list.Count - 1)] = value;
            return root;
        }
        return Add(root, path, value);
    }

    // Each operation can put the result of the one before deeper.
    private static void ThrowIfTooDeep(string[] path, JsonNode? value)
    {
        if (path.Length + Depth(value) > JsonReading.MaxDepth)
        {
            throw ApiErrors.Unprocessable();
        }
    }

    private static int Depth(JsonNode? node) =>
        node switch
        {
            JsonObject tree => 1 + tree.Select(member => Depth(member.Value)).DefaultIfEmpty().Max(),
            JsonArray list => 1 + list.Select(Depth).DefaultIfEmpty().Max(),
            _ => 0,
        };

    private static JsonNode? Read(JsonNode? root, string[] path)
    {
        foreach (var name in path)
        {
            root = root switch
            {
                JsonObject tree when tree.TryGetPropertyValue(name, out var value) => value,
                JsonArray list => list[Index(name, list.Count - 1)],
                _ => throw ApiErrors.Unprocessable(),
            };
        }
        return root;
    }

    private static JsonNode? ReadOrNull(JsonNode? root, string[] path)
    {
        try
        {
            return Read(root, path);
        }
        catch (ApiException)
        {
            return null;
        }
    }

    private static int Index(string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= most
            ? index
            : throw ApiErrors.Unprocessable();
}
