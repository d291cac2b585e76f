using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>Injects faults into an embedded cluster, for tests of its clients.</summary>
public sealed class FaultInjector
{
    private readonly Lock _lock = new();
    private readonly List<ActiveRule> _rules = [];
    private readonly HashSet<ActiveRequest> _active = [];
    private readonly ClusterStore _store;
    private readonly TimeProvider _time;
    private readonly Action _restored;

    /// <param name="store">The store.</param>
    /// <param name="time">The clock of delays.</param>
    /// <param name="restored">Updates the state that is derived from the store after a snapshot was restored.</param>
    internal FaultInjector(ClusterStore store, TimeProvider time, Action restored)
    {
        _store = store;
        _time = time;
        _restored = restored;
    }

    /// <summary>Adds a rule. The first rule that matches a request applies.</summary>
    /// <returns>Removes the rule when disposed.</returns>
    public IDisposable Add(FaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var active = new ActiveRule(rule, this);
        lock (_lock)
        {
            _rules.Add(active);
        }
        return active;
    }

    /// <summary>Fails the next <paramref name="times"/> matching writes.</summary>
    /// <param name="statusCode">HTTP status: 409, 429, 500 …</param>
    /// <param name="times">Number of writes.</param>
    /// <param name="matches">Selects the writes; null for all.</param>
    public IDisposable FailWrites(int statusCode, int times = 1, Func<RequestRecord, bool>? matches = null) =>
        Add(
            new FaultRule
            {
                StatusCode = statusCode,
                Times = times,
                Matches = request => request.IsWrite && (matches?.Invoke(request) ?? true),
            }
        );

    /// <summary>Disconnects a client: its running requests are aborted and new ones get no response until the result is disposed.</summary>
    /// <param name="matches">Selects the requests of the client, for example by user agent.</param>
    public IDisposable Partition(Func<RequestRecord, bool> matches)
    {
        var rule = Add(
            new FaultRule
            {
                Matches = matches,
                Times = null,
                Disconnect = true,
            }
        );
        Abort(matches);
        return rule;
    }

    /// <summary>Ends all watches, or those of one resource (by plural name), as a server restart does.</summary>
    public void CloseWatches(string? resource = null) => _store.EndWatches(table => resource is null || table.Resource == resource);

    /// <summary>Removes the watch history, so that a watch that resumes fails with 410 Gone, and ends all watches.</summary>
    public void ExpireWatches()
    {
        _store.Compact();
        _store.EndWatches();
    }

    /// <summary>Copies all stored objects, like an etcd backup.</summary>
    public ClusterSnapshot TakeSnapshot() => new(_store.Save());

    /// <summary>
    /// Restores a snapshot, as restoring etcd from a backup and restarting the API server does: objects, uids and resourceVersions are
    /// those of the snapshot, and all watches end. A watch that resumes from a later resourceVersion is accepted, and gets no events until
    /// that version is exceeded. Tokens that were issued since then remain valid if their ServiceAccounts and Secrets exist.
    /// </summary>
    public void RestoreSnapshot(ClusterSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _store.Restore(snapshot.Content);
        _restored();
    }

    /// <summary>Removes all rules.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _rules.Clear();
        }
    }

    internal IDisposable Track(RequestLog.Entry entry, HttpContext context)
    {
        var request = new ActiveRequest(entry, context, this);
        lock (_lock)
        {
            _active.Add(request);
        }
        return request;
    }

    internal int CountRunning(Func<RequestRecord, bool> matches)
    {
        lock (_lock)
        {
            return _active.Count(request => matches(request.Entry.Record));
        }
    }

    /// <summary>Applies the first rule that matches the request.</summary>
    /// <returns>False when the connection was closed.</returns>
    internal async Task<bool> ApplyAsync(RequestRecord record, HttpContext context)
    {
        if (Take(record) is not { } rule)
        {
            return true;
        }
        if (rule.Delay > TimeSpan.Zero)
        {
            await Task.Delay(rule.Delay, _time, context.RequestAborted);
        }
        if (rule.Disconnect)
        {
            context.Abort();
            return false;
        }
        return rule.StatusCode is { } code ? throw Failure(code, record, rule) : true;
    }

    private FaultRule? Take(RequestRecord record)
    {
        lock (_lock)
        {
            var found = _rules.FirstOrDefault(active => active.Rule.Matches?.Invoke(record) ?? true);
            if (found?.Used() == true)
            {
                _rules.Remove(found);
            }
            return found?.Rule;
        }
    }

    private void Abort(Func<RequestRecord, bool> matches)
    {
        List<ActiveRequest> cut;
        lock (_lock)
        {
            cut = [.. _active.Where(request => matches(request.Entry.Record))];
        }
        foreach (var request in cut)
        {
            try
            {
                request.Context.Abort();
            }
            catch (ObjectDisposedException)
            {
                // The request completed concurrently.
            }
        }
    }

    private static ApiException Failure(int code, RequestRecord record, FaultRule rule) =>
        code switch
        {
            409 => ApiErrors.Modified(record.Group, record.Resource, record.Name),
            410 => ApiErrors.Expired("too old resource version: 1 (2)"),
            429 => ApiErrors.TooManyRequests(rule.RetryAfterSeconds),
            500 => ApiErrors.Internal("a fault was injected"),
            503 => new ApiException(
                new ApiStatus(
                    503,
                    "ServiceUnavailable",
                    "the server is currently unable to handle the request",
                    new StatusDetails(RetryAfterSeconds: rule.RetryAfterSeconds)
                )
            ),
            _ => new ApiException(new ApiStatus(code, "Unknown", rule.Message)),
        };

    private sealed class ActiveRule(FaultRule rule, FaultInjector owner) : IDisposable
    {
        private int _left = rule.Times ?? int.MaxValue;

        public FaultRule Rule { get; } = rule;

        /// <summary>Counts one use; true if it was the last one.</summary>
        public bool Used() => Rule.Times is not null && --_left <= 0;

        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._rules.Remove(this);
            }
        }
    }

    private sealed class ActiveRequest(RequestLog.Entry entry, HttpContext context, FaultInjector owner) : IDisposable
    {
        public RequestLog.Entry Entry { get; } = entry;

        public HttpContext Context { get; } = context;

        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._active.Remove(this);
            }
        }
    }
}

/// <summary>A fault rule: what happens to matching requests before or instead of the response.</summary>
public sealed record FaultRule
{
    /// <summary>Selects the requests; null for all.</summary>
    public Func<RequestRecord, bool>? Matches { get; init; }

    /// <summary>Number of requests that the rule applies to; null for all until it is removed.</summary>
    public int? Times { get; init; } = 1;

    /// <summary>HTTP status of the response (409, 410, 429, 500, 503 …), with the Status that Kubernetes sends for it.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The message of a response with another status than those, for example of an admission webhook.</summary>
    public string Message { get; init; } = "a fault was injected";

    /// <summary>The <c>Retry-After</c> header in seconds, with status 429 or 503.</summary>
    public int RetryAfterSeconds { get; init; } = 1;

    /// <summary>Delay before the response.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Whether to close the connection without a response.</summary>
    public bool Disconnect { get; init; }
}

/// <summary>
/// A copy of the stored objects of an embedded cluster, like an etcd backup. It can only be restored into the same cluster.
/// </summary>
public sealed class ClusterSnapshot
{
    internal ClusterSnapshot(StoreSnapshot content) => Content = content;

    /// <summary>The resourceVersion at which the copy was taken.</summary>
    public long Revision => Content.Revision;

    internal StoreSnapshot Content { get; }
}
