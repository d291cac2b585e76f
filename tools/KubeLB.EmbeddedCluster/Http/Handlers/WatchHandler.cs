using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Selectors;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Tables;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles watch.</summary>
internal sealed class WatchHandler(ClusterStore store, TimeProvider time, TimeSpan bookmarkInterval)
{
    private static readonly TimeSpan MinTimeout = TimeSpan.FromMinutes(30);

    public async Task WatchAsync(ApiRequest request, CancellationToken stopping)
    {
        var negotiated = request.Negotiate();
        var filter = request.Filter();
        var start = StartOf(request);
        var table = store.Table(request.Resource.StorageGroup, request.Resource.Plural);
        using var subscription = store.Subscribe(table, filter.Namespace, start.After, out var oldest);
        var response = request.Context.Response;
        response.StatusCode = 200;
        response.ContentType = negotiated.ContentType;
        response.Headers.CacheControl = "no-cache, private";
        var stream = new EventStream(response.BodyWriter, request, negotiated, filter, start.After ?? 0, time);
        await response.StartAsync(request.Context.RequestAborted);
        if (subscription is null)
        {
            stream.Error(new ApiStatus(410, "Expired", $"too old resource version: {start.After} ({oldest})"));
            await response.BodyWriter.FlushAsync(request.Context.RequestAborted);
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(request.Context.RequestAborted, stopping);
        using var timeout = new CancellationTokenSource(TimeoutOf(request), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, timeout.Token);
        try
        {
            await StreamAsync(stream, subscription, start, response.BodyWriter, request.Flag("allowWatchBookmarks"), both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            // The watch ends: timeout, client disconnect or server stop.
        }
    }

    private async Task StreamAsync(
        EventStream stream,
        WatchSubscription subscription,
        WatchStart start,
        PipeWriter output,
        bool bookmarks,
        CancellationToken cancellation
    )
    {
        if (start.SendInitial)
        {
            await stream.InitialAsync(subscription.Initial, cancellation);
        }
        foreach (var change in subscription.Replay)
        {
            stream.Change(change);
        }
        if (start.MarkInitialEnd)
        {
            stream.Bookmark(subscription.Initial.Revision, initialEnd: true);
        }
        await output.FlushAsync(cancellation);
        var events = subscription.Events;
        var last = subscription.Initial.Revision;
        var nextBookmark = bookmarks ? Task.Delay(bookmarkInterval, time, cancellation) : null;
        var more = events.WaitToReadAsync(cancellation).AsTask();
        while (true)
        {
            if (nextBookmark is not null && await Task.WhenAny(more, nextBookmark) == nextBookmark)
            {
                await nextBookmark;
                // All changes up to the current revision were already offered to this watch.
                var revision = store.Revision;
                last = stream.Drain(subscription, last, output);
                stream.Bookmark(Math.Max(last, revision), initialEnd: false);
                await output.FlushAsync(cancellation);
                nextBookmark = Task.Delay(bookmarkInterval, time, cancellation);
                continue;
            }
            if (!await more)
            {
                return;
            }
            last = stream.Drain(subscription, last, output);
            await output.FlushAsync(cancellation);
            more = events.WaitToReadAsync(cancellation).AsTask();
        }
    }

    private static WatchStart StartOf(ApiRequest request)
    {
        var text = request.Query("resourceVersion");
        long revision = 0;
        if (!string.IsNullOrEmpty(text) && (!long.TryParse(text, out revision) || revision < 0))
        {
            throw Invalid(
                FieldError.Invalid("resourceVersion", text, $"strconv.ParseUint: parsing {FieldError.Quote(text)}: invalid syntax")
            );
        }
        var initial = request.Query("sendInitialEvents");
        var match = request.Query("resourceVersionMatch");
        if (initial is null)
        {
            if (match is { Length: > 0 })
            {
                throw Invalid(
                    FieldError.Forbidden(
                        "resourceVersionMatch",
                        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
                    )
                );
            }
            return new WatchStart(revision == 0 ? null : revision, SendInitial: revision == 0, MarkInitialEnd: false);
        }
        if (match != "NotOlderThan")
        {
            throw Invalid(
                match is null or ""
                    ? FieldError.Forbidden(
                        "resourceVersionMatch",
                        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                    )
                    : FieldError.NotSupported("resourceVersionMatch", match, "NotOlderThan")
            );
        }
        var send = initial is "true" or "1";
        return send
            ? new WatchStart(null, SendInitial: true, MarkInitialEnd: request.Flag("allowWatchBookmarks"))
            : new WatchStart(revision == 0 ? null : revision, SendInitial: false, MarkInitialEnd: false);
    }

    private static ApiException Invalid(FieldError error) => ApiErrors.Invalid("meta.k8s.io", "ListOptions", "", [error]);

    private static TimeSpan TimeoutOf(ApiRequest request) =>
        long.TryParse(request.Query("timeoutSeconds"), out var seconds) && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400))
            : MinTimeout * (1 + Random.Shared.NextDouble());

    /// <summary>The start position of a watch.</summary>
    private readonly record struct WatchStart(long? After, bool SendInitial, bool MarkInitialEnd);

    /// <summary>Writes events in the requested form.</summary>
    private sealed class EventStream(
        PipeWriter output,
        ApiRequest request,
        Negotiated negotiated,
        ObjectFilter filter,
        long after,
        TimeProvider time
    )
    {
        private bool _columnsSent;

        public async Task InitialAsync(TableSnapshot snapshot, CancellationToken cancellation)
        {
            foreach (var stored in filter.Select(snapshot))
            {
                Write("ADDED", stored);
                if (output.UnflushedBytes > 256 * 1024)
                {
                    await output.FlushAsync(cancellation);
                }
            }
        }

        public long Drain(WatchSubscription subscription, long last, PipeWriter writer)
        {
            while (writer.UnflushedBytes < 1024 * 1024 && subscription.Events.TryRead(out var change))
            {
                subscription.MarkConsumed();
                Change(change);
                last = change.Revision;
            }
            return last;
        }

        /// <summary>
        /// Converts a change by the selectors of the watch: an object that starts to match is added, one that stops matching is deleted.
        /// </summary>
        public void Change(WatchEvent change)
        {
            // The requested resourceVersion may be in the future.
            if (change.Revision <= after)
            {
                return;
            }
            var now = change.Type != ChangeType.Deleted && filter.Matches(change.Object);
            var before = change.Previous is { } previous && filter.Matches(previous);
            switch (now, before)
            {
                case (true, true):
                    Write("MODIFIED", change.Object);
                    break;
                case (true, false):
                    Write("ADDED", change.Object);
                    break;
                case (false, true):
                    Write("DELETED", change.Type == ChangeType.Deleted ? change.Object : change.Previous!.At(change.Revision));
                    break;
            }
        }

        public void Bookmark(long revision, bool initialEnd)
        {
            // A watch from a future resourceVersion gets no events until that version is exceeded.
            if (revision < after)
            {
                return;
            }
            var metadata = new JsonObject { ["resourceVersion"] = revision.ToString() };
            if (initialEnd)
            {
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            }
            var partial = negotiated.Form == ObjectForm.PartialMetadata;
            var mark = new JsonObject
            {
                ["kind"] = partial ? "PartialObjectMetadata" : request.Resource.Kind,
                ["apiVersion"] = partial ? "meta.k8s.io/v1" : request.Resource.ApiVersion,
                ["metadata"] = metadata,
            };
            if (negotiated.Form == ObjectForm.Table)
            {
                mark = new JsonObject
                {
                    ["kind"] = "Table",
                    ["apiVersion"] = "meta.k8s.io/v1",
                    ["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString() },
                    ["columnDefinitions"] = null,
                    ["rows"] = new JsonArray(
                        new JsonObject
                        {
                            ["cells"] = new JsonArray(),
                            ["object"] = new JsonObject
                            {
                                ["kind"] = "PartialObjectMetadata",
                                ["apiVersion"] = "meta.k8s.io/v1",
                                ["metadata"] = metadata.DeepClone(),
                            },
                        }
                    ),
                };
            }
            Write("BOOKMARK", JsonText.Bytes(mark));
        }

        public void Error(ApiStatus status) => Write("ERROR", status.ToJson());

        private void Write(string type, StoredObject stored)
        {
            switch (negotiated.Form)
            {
                case ObjectForm.Table:
                    var row = new ArrayBufferWriter<byte>(1024);
                    new TableWriter(request.Resource, request.Text, request.Query("includeObject"), time.GetUtcNow()).Write(
                        row,
                        [stored],
                        stored.Revision,
                        null,
                        withColumns: !_columnsSent
                    );
                    _columnsSent = true;
                    Write(type, row.WrittenSpan);
                    break;
                case ObjectForm.PartialMetadata:
                    Write(type, JsonText.Bytes(PartialMetadata.Of(stored.ToTree())));
                    break;
                default:
                    Head(type);
                    request.Text.Write(output, stored);
                    output.Write("}\n"u8);
                    break;
            }
        }

        private void Write(string type, ReadOnlySpan<byte> content)
        {
            Head(type);
            output.Write(content);
            output.Write("}\n"u8);
        }

        private void Head(string type)
        {
            output.Write("{\"type\":\""u8);
            output.Write(JsonEncodedText.Encode(type).EncodedUtf8Bytes);
            output.Write("\",\"object\":"u8);
        }
    }
}
