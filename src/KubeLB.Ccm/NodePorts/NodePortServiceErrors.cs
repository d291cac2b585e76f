using System.Collections.Concurrent;
using System.Net;
using k8s.Autorest;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.NodePorts;

/// <summary>
/// The node-port Services that the tenant's API server rejects, so that routes report the rejection and are served without these backends.
/// Only in memory: the controller of node-port Services tries to write them again after a start.
/// </summary>
internal sealed class NodePortServiceErrors(TimeProvider time)
{
    private readonly ConcurrentDictionary<ResourceKey, Entry> _entries = new();

    /// <summary>A Service has an error now, another one, or none any more.</summary>
    public event Action<ResourceKey>? Changed;

    /// <summary>The error of the node-port Service of a Service; null if it has none.</summary>
    public string? Of(ResourceKey service) => _entries.TryGetValue(service, out var entry) && entry.IsReported ? entry.Error : null;

    /// <summary>
    /// Records the response to a write. An error that the API server may recover from is reported only after some time; conflicts and
    /// missing namespaces are not reported.
    /// </summary>
    public void Record(ResourceKey service, HttpOperationException failure)
    {
        if (failure.Response?.StatusCode is not (null or HttpStatusCode.Conflict or HttpStatusCode.NotFound or HttpStatusCode.Unauthorized))
        {
            Record(
                service,
                ApiStatus.Parse(failure.Response.Content)?.Message ?? failure.Message,
                IsTemporary(failure.Response.StatusCode)
            );
        }
    }

    /// <summary>Records why a node-port Service cannot be written.</summary>
    public void Record(ResourceKey service, string error, bool isTemporary = false)
    {
        var before = _entries.GetValueOrDefault(service);
        var since = before?.Since ?? time.GetTimestamp();
        var isReported = !isTemporary || before is { IsReported: true } || time.GetElapsedTime(since) >= Delays.NodePortServiceError;
        var entry = new Entry(error, since, isReported);
        _entries[service] = entry;
        if (isReported && entry != before)
        {
            Changed?.Invoke(service);
        }
    }

    /// <summary>The node-port Service was written, or is no longer needed.</summary>
    public void Clear(ResourceKey service)
    {
        if (_entries.TryRemove(service, out var entry) && entry.IsReported)
        {
            Changed?.Invoke(service);
        }
    }

    private static bool IsTemporary(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private sealed record Entry(string Error, long Since, bool IsReported);
}
