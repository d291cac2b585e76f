using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>Makes an embedded cluster misbehave on purpose, for tests of its clients.</summary>
public sealed class FaultInjector
{
    private readonly Lock _lock = new();
    private readonly List<ActiveRule> _rules = [];
    private readonly HashSet<ActiveRequest> _active = [];
    private readonly ClusterStore _store;
    private readonly TimeProvider _time;
    private readonly Action _restored;

    /// <param name="store">What the cluster stores.</param>
    /// <param name="time">The clock of delays.</param>
    /// <param name="restored">Brings what is derived from the store into line after a snapshot was put back.</param>
    internal FaultInjector(ClusterStore store, TimeProvider time, Action restored)
    {
        _store = store;
        _time = time;
        _restored = restored;
    }

    /// <summary>Adds a rule. Rules are tried in the order they were added; the first one that selects a request applies.</summary>
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

    /// <summary>Answers the next <paramref name="times"/> writes that match with an error.</summary>
    /// <param name="statusCode">HTTP status: 409, 429, 500 …</param>
    /// <param name="times">How many writes.</param>
    /// <param name="matches">Which writes; all when not given.</param>
    public IDisposable FailWrites(int statusCode, int times = 1, Func<RequestRecord, bool>? matches = null) =>
        Add(
            new FaultRule
            {
                StatusCode = statusCode,
                Times = times,
                Matches = request => request.IsWrite && (matches?.Invoke(request) ?? true),
            }
        );

    /// <summary>Cuts a client off: its running requests are aborted and new ones get no answer until the result is disposed.</summary>
    /// <param name="matches">Which requests are the client's, for instance by user agent.</param>
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

    /// <summary>
    /// Ends all watches, or those of one resource (by its plural name), the way a restarting server does: the streams just end.
    /// </summary>
    public void CloseWatches(string? resource = null) => _store.EndWatches(table => resource is null || table.Resource == resource);

    /// <summary>Forgets the history, so that a watch that resumes is told 410 Gone, and ends all watches so that they do resume.</summary>
    public void ExpireWatches()
    {
        _store.Compact();
        _store.EndWatches();
    }

    /// <summary>Copies everything that is stored, as a backup of etcd does.</summary>
    public ClusterSnapshot TakeSnapshot() => new(_store.Save());

    /// <summary>
    /// Puts a copy back, as restoring etcd from a backup and restarting the API server does: objects, uids and resourceVersions are those
    /// of then, and all watches end. A watch that resumes from a version after that of the copy is accepted, and gets nothing until
    /// versions pass it. Tokens that were issued meanwhile remain valid as far as their ServiceAccounts and Secrets exist.
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

    /// <summary>Applies the first rule that selects the request.</summary>
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
        return rule.StatusCode is { } code ? throw Failure(code, record, rule.RetryAfterSeconds) : true;
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
                // It was answered meanwhile.
            }
        }
    }

    private static ApiException Failure(int code, RequestRecord record, int retryAfter) =>
        code switch
        {
            409 => ApiErrors.Modified(record.Group, record.Resource, record.Name),
            410 => ApiErrors.Expired("too old resource version: 1 (2)"),
            429 => ApiErrors.TooManyRequests(retryAfter),
            500 => ApiErrors.Internal("a fault was injected"),
            503 => new ApiException(
                new ApiStatus(
                    503,
                    "ServiceUnavailable",
                    "the server is currently unable to handle the request",
                    new StatusDetails(RetryAfterSeconds: retryAfter)
                )
            ),
            _ => new ApiException(new ApiStatus(code, "Unknown", "a fault was injected")),
        };

    private sealed class ActiveRule(FaultRule rule, FaultInjector owner) : IDisposable
    {
        private int _left = rule.Times ?? int.MaxValue;

        public FaultRule Rule { get; } = rule;

        /// <summary>Counts one use; true when it was the last.</summary>
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
