using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Http;

namespace KubeLB.TestClusters.External;

/// <summary>Records the requests of a client in the format of the embedded cluster's request log.</summary>
internal sealed class RequestLogging(RequestList log) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        var isWatch =
            uri.Query.Contains("watch=true", StringComparison.OrdinalIgnoreCase) || uri.Query.Contains("watch=1", StringComparison.Ordinal);
        var info = RequestInfo.Parse(request.Method.Method, uri.AbsolutePath, isWatch);
        var record = new RequestRecord(
            DateTimeOffset.UtcNow,
            info.Verb,
            info.Group,
            info.Resource,
            info.Subresource,
            info.Namespace,
            info.Name,
            request.Headers.UserAgent.ToString(),
            User: "",
            request.Method.Method,
            uri.PathAndQuery,
            StatusCode: 0
        );
        var position = log.Begin(record);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        log.Answered(position, (int)response.StatusCode);
        return response;
    }
}

/// <summary>The requests that clients sent, oldest first.</summary>
internal sealed class RequestList
{
    private readonly Lock _gate = new();
    private readonly List<RequestRecord> _records = [];
    private int _forgotten;

    public int Begin(RequestRecord record)
    {
        lock (_gate)
        {
            _records.Add(record);
            return _forgotten + _records.Count - 1;
        }
    }

    public void Answered(int position, int statusCode)
    {
        lock (_gate)
        {
            var index = position - _forgotten;
            if (index >= 0)
            {
                _records[index] = _records[index] with { StatusCode = statusCode };
            }
        }
    }

    public IReadOnlyList<RequestRecord> Snapshot()
    {
        lock (_gate)
        {
            return [.. _records];
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _forgotten += _records.Count;
            _records.Clear();
        }
    }
}
