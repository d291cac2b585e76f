using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Tables;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Writes responses.</summary>
internal static class ResponseWriting
{
    public static Task StatusAsync(HttpContext context, ApiStatus status)
    {
        if (status.Details is { RetryAfterSeconds: > 0 and var seconds })
        {
            context.Response.Headers.RetryAfter = seconds.ToString();
        }
        return BytesAsync(context, status.Code, "application/json", status.ToJson());
    }

    public static Task TextAsync(HttpContext context, int code, string text) =>
        BytesAsync(context, code, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    public static Task JsonAsync(HttpContext context, int code, JsonNode node, string contentType = "application/json") =>
        BytesAsync(context, code, contentType, JsonText.Bytes(node));

    public static async Task BytesAsync(HttpContext context, int code, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-cache, private";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }
    }

    /// <summary>Writes one object in the requested form.</summary>
    public static Task ObjectAsync(ApiRequest request, int code, StoredObject stored, DateTimeOffset now)
    {
        var negotiated = request.Negotiate();
        var buffer = new ArrayBufferWriter<byte>(stored.Tail.Length + 128);
        switch (negotiated.Form)
        {
            case ObjectForm.Table:
                var table = new TableWriter(request.Resource, request.Text, request.Query("includeObject"), now);
                table.Write(buffer, [stored], stored.Revision, null, withColumns: true);
                break;
            case ObjectForm.PartialMetadata:
                PartialMetadata.Write(buffer, stored);
                break;
            default:
                request.Text.Write(buffer, stored);
                break;
        }
        return EncodedAsync(request.Context, code, negotiated, buffer.WrittenMemory);
    }

    /// <summary>Writes JSON, converted to YAML if requested.</summary>
    public static Task EncodedAsync(HttpContext context, int code, Negotiated negotiated, ReadOnlyMemory<byte> json) =>
        BytesAsync(context, code, negotiated.ContentType, negotiated.Yaml ? YamlWriting.FromJson(JsonReading.Parse(json.Span)) : json);

    public static void Warnings(HttpContext context, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings.Distinct())
        {
            context.Response.Headers.Append("Warning", $"299 - \"{Escape(warning)}\"");
        }
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c is '"' or '\\')
            {
                escaped.Append('\\');
            }
            escaped.Append(c is >= ' ' and < '\x7f' ? c : '?');
        }
        return escaped.ToString();
    }
}

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

/// <summary>List metadata of a paged list.</summary>
/// <param name="Continue">The token of the next page; null on the last page.</param>
/// <param name="Remaining">The number of remaining objects, if known.</param>
internal sealed record ListMetadata(string? Continue, long? Remaining)
{
    public void WriteMembers(Utf8JsonWriter json)
    {
        if (Continue is not null)
        {
            json.WriteString("continue", Continue);
        }
        if (Remaining is { } remaining)
        {
            json.WriteNumber("remainingItemCount", remaining);
        }
    }
}
