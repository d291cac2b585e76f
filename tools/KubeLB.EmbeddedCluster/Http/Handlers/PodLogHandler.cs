using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles the log subresource of pods.</summary>
internal sealed class PodLogHandler(ClusterStore store, PodLogSource? source, TimeProvider time)
{
    public async Task HandleAsync(ApiRequest request, CancellationToken stopping)
    {
        var pod =
            store.Table(request.Resource.StorageGroup, request.Resource.Plural).Find(request.Namespace, request.Info.Name)
            ?? throw ApiErrors.NotFound(request.Resource.Group, request.Resource.Plural, request.Info.Name);
        var requested = Read(request, pod.Uid, pod.ToTree());
        var limit = Number(request, "limitBytes", minimum: 1) ?? long.MaxValue;
        if (source is null)
        {
            throw ApiErrors.BadRequest($"pod \"{pod.Name}\" has no logs: this cluster does not run containers.");
        }
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(request.Context.RequestAborted, stopping);
        try
        {
            await WriteAsync(request, source(requested, cancel.Token), limit, cancel.Token);
        }
        catch (PodLogException exception)
        {
            throw ApiErrors.BadRequest(exception.Message);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The client disconnected, or the server stops.
        }
    }

    private static async Task WriteAsync(
        ApiRequest request,
        IAsyncEnumerable<PodLogLine> lines,
        long limit,
        CancellationToken cancellationToken
    )
    {
        var response = request.Context.Response;
        var withTimes = request.Flag("timestamps");
        await using var reader = lines.GetAsyncEnumerator(cancellationToken);
        var next = reader.MoveNextAsync().AsTask();
        if (next.IsCompleted)
        {
            // Throws if there is no log, before the response starts; a followed log may have no line yet.
            await next;
        }
        response.ContentType = "text/plain";
        await response.StartAsync(cancellationToken);
        while (limit > 0)
        {
            await response.BodyWriter.FlushAsync(cancellationToken);
            if (!await next)
            {
                return;
            }
            var time = withTimes ? $"{reader.Current.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'} " : "";
            var bytes = Encoding.UTF8.GetBytes($"{time}{reader.Current.Text}\n").AsMemory();
            bytes = bytes[..(int)Math.Min(bytes.Length, limit)];
            limit -= bytes.Length;
            await response.BodyWriter.WriteAsync(bytes, cancellationToken);
            if (limit > 0)
            {
                next = reader.MoveNextAsync().AsTask();
            }
        }
    }

    private PodLogRequest Read(ApiRequest request, string uid, JsonObject pod)
    {
        var containers = pod.Object("spec").Array("containers").Objects().Select(container => container.Text("name") ?? "").ToList();
        var container = request.Query("container") is { Length: > 0 } named ? named : null;
        if (container is null && containers.Count > 1)
        {
            throw ApiErrors.BadRequest(
                $"a container name must be specified for pod {request.Info.Name}, choose one of: [{string.Join(' ', containers)}]"
            );
        }
        container ??= containers.FirstOrDefault() ?? "";
        if (!containers.Contains(container))
        {
            throw ApiErrors.BadRequest($"container {container} is not valid for pod {request.Info.Name}");
        }
        return new PodLogRequest(request.Namespace, request.Info.Name, uid, container)
        {
            Follow = request.Flag("follow"),
            Previous = request.Flag("previous"),
            TailLines = (int?)Number(request, "tailLines", minimum: 0),
            Since = Since(request),
        };
    }

    private DateTimeOffset? Since(ApiRequest request)
    {
        if (request.Query("sinceTime") is { Length: > 0 } text)
        {
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
                ? moment
                : throw ApiErrors.BadRequest($"sinceTime {text} is not a time");
        }
        return Number(request, "sinceSeconds", minimum: 1) is { } seconds ? time.GetUtcNow().AddSeconds(-seconds) : null;
    }

    private static long? Number(ApiRequest request, string name, int minimum) =>
        request.Query(name) is not { Length: > 0 } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum ? number
        : throw ApiErrors.BadRequest($"{name} must be a whole number of at least {minimum}, not {text}");
}
