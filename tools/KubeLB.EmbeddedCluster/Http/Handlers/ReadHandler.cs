using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Tables;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles get and list.</summary>
internal sealed class ReadHandler(ClusterStore store, TimeProvider time)
{
    private const string TokenTooOld =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
        + "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with "
        + "the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the "
        + "first chunk was returned and now may show up in the list.";

    public Task GetAsync(ApiRequest request)
    {
        CheckRevision(request);
        var table = store.Table(request.Resource.StorageGroup, request.Resource.Plural);
        var stored =
            table.Find(request.Namespace, request.Info.Name)
            ?? throw ApiErrors.NotFound(request.Resource.Group, request.Resource.Plural, request.Info.Name);
        return ResponseWriting.ObjectAsync(request, 200, stored, time.GetUtcNow());
    }

    public async Task ListAsync(ApiRequest request)
    {
        var negotiated = request.Negotiate();
        var filter = request.Filter();
        var limit = long.TryParse(request.Query("limit"), out var requested) && requested > 0 ? requested : long.MaxValue;
        var (snapshot, after) = Snapshot(request);
        var objects = filter.Select(snapshot);
        if (after is not null)
        {
            objects = objects.SkipWhile(stored => !IsAfter(stored, after));
        }
        ListMetadata? metadata = null;
        if (limit < long.MaxValue)
        {
            var page = objects.Take((int)Math.Min(limit + 1, int.MaxValue)).ToList();
            if (page.Count > limit)
            {
                page.RemoveAt(page.Count - 1);
                long? remaining = filter.IsEverything ? objects.LongCount() - page.Count : null;
                metadata = new ListMetadata(new ContinueToken(snapshot.Revision, page[^1].Namespace, page[^1].Name).Encode(), remaining);
            }
            objects = page;
        }
        await WriteAsync(request, negotiated, objects, snapshot.Revision, metadata);
    }

    /// <summary>Writes objects as a list.</summary>
    public async Task WriteAsync(
        ApiRequest request,
        Negotiated negotiated,
        IEnumerable<StoredObject> objects,
        long revision,
        ListMetadata? metadata
    )
    {
        if (negotiated.Yaml || negotiated.Form != ObjectForm.Whole)
        {
            var buffer = new ArrayBufferWriter<byte>(4096);
            if (negotiated.Form == ObjectForm.Table)
            {
                new TableWriter(request.Resource, request.Text, request.Query("includeObject"), time.GetUtcNow()).Write(
                    buffer,
                    objects,
                    revision,
                    metadata,
                    withColumns: true
                );
            }
            else
            {
                WriteList(buffer, request, negotiated.Form, objects, revision, metadata);
            }
            await ResponseWriting.EncodedAsync(request.Context, 200, negotiated, buffer.WrittenMemory);
            return;
        }
        var response = request.Context.Response;
        response.StatusCode = 200;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-cache, private";
        var output = response.BodyWriter;
        WriteHead(output, request, negotiated.Form, revision, metadata);
        var first = true;
        foreach (var stored in objects)
        {
            if (!first)
            {
                output.Write(","u8);
            }
            first = false;
            request.Text.WriteItem(output, stored);
            if (output.UnflushedBytes > 256 * 1024)
            {
                await output.FlushAsync(request.Context.RequestAborted);
            }
        }
        output.Write("]}"u8);
        await output.FlushAsync(request.Context.RequestAborted);
    }

    private static void WriteList(
        IBufferWriter<byte> output,
        ApiRequest request,
        ObjectForm form,
        IEnumerable<StoredObject> objects,
        long revision,
        ListMetadata? metadata
    )
    {
        WriteHead(output, request, form, revision, metadata);
        var first = true;
        foreach (var stored in objects)
        {
            if (!first)
            {
                output.Write(","u8);
            }
            first = false;
            if (form == ObjectForm.PartialMetadata)
            {
                PartialMetadata.Write(output, stored);
            }
            else
            {
                request.Text.WriteItem(output, stored);
            }
        }
        output.Write("]}"u8);
    }

    private static void WriteHead(IBufferWriter<byte> output, ApiRequest request, ObjectForm form, long revision, ListMetadata? metadata)
    {
        var head = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(head, Json.JsonText.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("kind", form == ObjectForm.PartialMetadata ? "PartialObjectMetadataList" : request.Resource.ListKind);
            json.WriteString("apiVersion", form == ObjectForm.PartialMetadata ? "meta.k8s.io/v1" : request.Resource.ApiVersion);
            json.WriteStartObject("metadata");
            json.WriteString("resourceVersion", revision.ToString());
            metadata?.WriteMembers(json);
            json.WriteEndObject();
        }
        output.Write(head.WrittenSpan);
        output.Write(Encoding.UTF8.GetBytes(",\"items\":["));
    }

    private (TableSnapshot Snapshot, ContinueToken? After) Snapshot(ApiRequest request)
    {
        var table = store.Table(request.Resource.StorageGroup, request.Resource.Plural);
        if (request.Query("continue") is { Length: > 0 } text)
        {
            var token = ContinueToken.Decode(text);
            return (store.SnapshotAt(table, token.Revision) ?? throw ApiErrors.Expired(TokenTooOld), token);
        }
        var revision = CheckRevision(request);
        if (request.Query("resourceVersionMatch") == "Exact" && revision > 0)
        {
            return (
                store.SnapshotAt(table, revision) ?? throw ApiErrors.Expired($"The resourceVersion for the provided list is too old."),
                null
            );
        }
        return (store.Snapshot(table), null);
    }

    /// <summary>The requested resourceVersion; 0 for none.</summary>
    private long CheckRevision(ApiRequest request)
    {
        var match = request.Query("resourceVersionMatch");
        var text = request.Query("resourceVersion");
        if (match is { Length: > 0 })
        {
            if (string.IsNullOrEmpty(text) && request.Query("sendInitialEvents") is null)
            {
                throw InvalidOptions(
                    FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
                );
            }
            if (match is not ("Exact" or "NotOlderThan"))
            {
                throw InvalidOptions(FieldError.NotSupported("resourceVersionMatch", match, "Exact", "NotOlderThan", ""));
            }
        }
        if (string.IsNullOrEmpty(text))
        {
            return 0;
        }
        if (!long.TryParse(text, out var revision) || revision < 0)
        {
            throw InvalidOptions(
                FieldError.Invalid("resourceVersion", text, $"strconv.ParseUint: parsing {FieldError.Quote(text)}: invalid syntax")
            );
        }
        var current = store.Revision;
        if (revision > current)
        {
            throw new ApiException(
                new ApiStatus(
                    504,
                    "Timeout",
                    $"Timeout: Too large resource version: {revision}, current: {current}",
                    new StatusDetails(
                        Causes: [new FieldError("ResourceVersionTooLarge", "", "Too large resource version")],
                        RetryAfterSeconds: 1
                    )
                )
            );
        }
        return revision;
    }

    private static ApiException InvalidOptions(FieldError error) => ApiErrors.Invalid("meta.k8s.io", "ListOptions", "", [error]);

    private static bool IsAfter(StoredObject stored, ContinueToken token)
    {
        var order = string.CompareOrdinal(stored.Namespace, token.Namespace);
        return order > 0 || (order == 0 && string.CompareOrdinal(stored.Name, token.Name) > 0);
    }
}

/// <summary>The continue token of a paged list: the resourceVersion of its first page and the last key.</summary>
internal sealed record ContinueToken(long Revision, string Namespace, string Name)
{
    public string Encode()
    {
        var json = new JsonObject
        {
            ["v"] = "meta.k8s.io/v1",
            ["rv"] = Revision,
            ["start"] = $"{Namespace}/{Name}\0",
        };
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <exception cref="ApiException">400 for an invalid token.</exception>
    public static ContinueToken Decode(string token)
    {
        byte[] bytes;
        try
        {
            var padded = token.Replace('-', '+').Replace('_', '/');
            bytes = Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException)
        {
            throw ApiErrors.BadRequest("invalid continue token: continue key is not valid: illegal base64 data at input byte 0");
        }
        try
        {
            var json = JsonReading.ParseObject(bytes);
            var start = json.Text("start") ?? "";
            var slash = start.IndexOf('/', StringComparison.Ordinal);
            if (json.Text("v") != "meta.k8s.io/v1" || slash < 0)
            {
                throw ApiErrors.BadRequest(
                    "invalid continue token: continue key is not valid: server does not recognize this encoded version"
                );
            }
            return new ContinueToken(json.Integer("rv") ?? 0, start[..slash], start[(slash + 1)..].TrimEnd('\0'));
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest($"invalid continue token: continue key is not valid: {exception.Message}");
        }
    }
}
