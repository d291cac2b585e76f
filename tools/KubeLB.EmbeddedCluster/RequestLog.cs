namespace KubeLB.EmbeddedCluster;

/// <summary>A request to an embedded cluster.</summary>
/// <param name="Time">Time of arrival.</param>
/// <param name="Verb">
/// get, list, watch, create, update, patch, delete or deletecollection; the HTTP method in lower case for non-resource paths.
/// </param>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Resource">Plural name of the resource; empty for other paths.</param>
/// <param name="Subresource">e.g. <c>status</c>; empty for the object itself.</param>
/// <param name="Namespace">The namespace in the path, if any.</param>
/// <param name="Name">The object's name in the path, if any.</param>
/// <param name="UserAgent">The client's User-Agent header.</param>
/// <param name="User">The authenticated user; empty before authentication or if it failed.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path of the URL.</param>
/// <param name="StatusCode">HTTP status of the response; 0 until it is sent. A watch has 200 from its start.</param>
public sealed record RequestRecord(
    DateTimeOffset Time,
    string Verb,
    string Group,
    string Resource,
    string Subresource,
    string Namespace,
    string Name,
    string UserAgent,
    string User,
    string Method,
    string Path,
    int StatusCode
)
{
    /// <summary>Query string with question mark; empty if there is none.</summary>
    public string Query { get; init; } = "";

    /// <summary>Media type of the body, e.g. <c>application/apply-patch+yaml</c>; empty if there is none.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>Whether the verb is create, update, patch, delete or deletecollection.</summary>
    public bool IsWrite => Verb is "create" or "update" or "patch" or "delete" or "deletecollection";
}

/// <summary>The last 100,000 requests to an embedded cluster, oldest first.</summary>
public sealed class RequestLog
{
    private const int Capacity = 100_000;

    private readonly Lock _lock = new();
    private readonly Queue<Entry> _entries = new();

    /// <summary>Number of matching requests; of all requests without a predicate.</summary>
    public int Count(Func<RequestRecord, bool>? predicate = null)
    {
        lock (_lock)
        {
            return predicate is null ? _entries.Count : _entries.Count(entry => predicate(entry.Record));
        }
    }

    /// <summary>All recorded requests.</summary>
    public IReadOnlyList<RequestRecord> Snapshot()
    {
        lock (_lock)
        {
            return [.. _entries.Select(entry => entry.Record)];
        }
    }

    /// <summary>Counts by verb, resource (<c>resource.group</c>, with its subresource) and user agent.</summary>
    public IReadOnlyDictionary<(string Verb, string Resource, string UserAgent), int> Totals() =>
        Snapshot()
            .GroupBy(record => (record.Verb, Qualified(record), record.UserAgent))
            .ToDictionary(group => group.Key, group => group.Count());

    /// <summary>Removes all recorded requests.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _entries.Clear();
        }
    }

    internal Entry Begin(RequestRecord record)
    {
        var entry = new Entry(record);
        lock (_lock)
        {
            if (_entries.Count == Capacity)
            {
                _entries.Dequeue();
            }
            _entries.Enqueue(entry);
        }
        return entry;
    }

    private static string Qualified(RequestRecord record)
    {
        var resource = record.Subresource.Length == 0 ? record.Resource : $"{record.Resource}/{record.Subresource}";
        return record.Group.Length == 0 ? resource : $"{resource}.{record.Group}";
    }

    /// <summary>A request in progress.</summary>
    internal sealed class Entry(RequestRecord record)
    {
        public RequestRecord Record { get; private set; } = record;

        public void Authenticated(string user) => Record = Record with { User = user };

        public void SetStatusCode(int statusCode) => Record = Record with { StatusCode = statusCode };
    }
}
