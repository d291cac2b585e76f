using System.Globalization;
using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Lists and watches the objects of one kind and passes them to a sink, like the reflector of client-go:
/// <code>
///   Listing ──complete list──► Watching ──ended──► Verifying ──version not decreased──► Watching from the last resourceVersion
///      ▲                          │                    │
///      └─ 410, n failures, stale ─┴─ version decreased ┘      a failure is retried with backoff in the same state
///   404 (the kind is not served): the sink keeps its objects, and the list is retried, with a longer delay if the kind is optional.
///   403, where the sink can do without the kind: likewise, with the delay of other failures.
/// </code>
/// An API server whose storage was restored from a backup accepts a watch from a future resourceVersion, and sends no event until its
/// versions exceed it. Therefore the version is verified with a list of one object before a watch resumes.
/// </summary>
internal sealed class Reflector<T>(
    string cluster,
    ResourceClient<T> client,
    ApiTransport transport,
    ListQuery scope,
    bool optional,
    bool mayBeForbidden,
    IReflectorSink<T> sink,
    ClusterErrors clusterErrors,
    ReflectorSettings settings,
    TimeProvider time,
    ILogger logger
) : IDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>A watch of at least this duration is successful even without events; a shorter one without events is a failure.</summary>
    private static readonly TimeSpan MinSuccessfulWatch = TimeSpan.FromSeconds(5);

    private readonly WatchHealth _health = new(cluster, client.Kind, clusterErrors, logger);
    private readonly Backoff _backoff = new(settings.BackoffBase, settings.Random);
    private readonly Lock _gate = new();
    private CancellationTokenSource _interrupt = new();
    private bool _listAfterInterrupt;

    /// <summary>The start of the next watch; null if a complete list is required.</summary>
    private string? _resourceVersion;

    /// <summary>The latest resourceVersion of a list or watch event.</summary>
    private string? _lastSeenVersion;

    /// <summary>Whether the current version of the API server was verified not to be earlier than <see cref="_resourceVersion"/>.</summary>
    private bool _verified;

    /// <summary>Whether the storage may have been restored since the last list.</summary>
    private bool _mayBeRestored;

    /// <summary>Whether the last watch failed. A successful list does not reset it.</summary>
    private bool _watchFailing;
    private int _watchFailures;
    private int _eventsOfThisWatch;
    private bool _notServed;
    private TimeSpan _notServedDelay;

    public ApiError? Error => _health.Current;

    /// <summary>Ends the current watch.</summary>
    /// <param name="list">True to read a complete list next; false to resume the watch.</param>
    public void Restart(bool list)
    {
        lock (_gate)
        {
            _listAfterInterrupt |= list;
            _interrupt.Cancel();
        }
    }

    public void Dispose() => _interrupt.Dispose();

    /// <summary>Runs until cancelled. Failures are retried.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var interrupt = TakeInterrupt();
            var operation = _resourceVersion is null ? "listing" : "watching";
            TimeSpan delay;
            try
            {
                delay =
                    _resourceVersion is null ? await ListAsync(cancellationToken).ConfigureAwait(false)
                    : !_verified ? await VerifyAsync(_resourceVersion, cancellationToken).ConfigureAwait(false)
                    : await WatchAsync(interrupt, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
            {
                sink.Restarted("relist");
                delay = TimeSpan.Zero;
            }
            catch (HttpOperationException e) when (optional && e.Response?.StatusCode == HttpStatusCode.NotFound)
            {
                delay = OnNotServed();
            }
#pragma warning disable CA1031 // Any error is reported and retried; an informer must not stop silently.
            catch (Exception e)
#pragma warning restore CA1031
            {
                OnFailed(ApiError.From(e, cluster, transport, client.Kind, operation), e);
                delay = RetryDelay.After(e, _backoff, settings);
            }

            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private CancellationToken TakeInterrupt()
    {
        lock (_gate)
        {
            if (_interrupt.IsCancellationRequested)
            {
                _interrupt.Dispose();
                _interrupt = new CancellationTokenSource();
                _verified = false;
                if (_listAfterInterrupt)
                {
                    _listAfterInterrupt = false;
                    RequireList();
                }
            }

            return _interrupt.Token;
        }
    }

    private void RequireList()
    {
        _resourceVersion = null;
        _mayBeRestored = true;
    }

    private void OnFailed(ApiError error, Exception failure)
    {
        _health.Failed(error);

        // A 403 does not indicate a change of the API server; after any other error its storage may have been restored.
        _verified &= failure is HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden };
        if (_resourceVersion is not null)
        {
            sink.Restarted("failed");
            _watchFailing = true;
            if (failure is HttpRequestException { StatusCode: null })
            {
                // Without a response the API server was unavailable. Its storage may have been restored since, and its version may already
                // exceed the last one, so that a verification would not detect it.
                RequireList();
            }
            else
            {
                OnWatchFailed();
            }
        }

        if (error.Category == ApiError.NotServed)
        {
            // When the kind is served again, its objects may have changed: a list is required.
            _resourceVersion = null;
            sink.NotServed();
        }
        else if (
            mayBeForbidden
            && _resourceVersion is null
            && failure is HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden }
        )
        {
            sink.NotServed();
        }
    }

    private void OnWatchFailed()
    {
        if (++_watchFailures >= settings.WatchFailuresBeforeList)
        {
            _watchFailures = 0;
            RequireList();
        }
    }

    private void OnWatchSucceeded()
    {
        _watchFailures = 0;
        _backoff.Reset();
    }

    private async Task<TimeSpan> ListAsync(CancellationToken cancellationToken)
    {
        var items = new List<T>();
        var undecodable = new List<UndecodableObject>();
        var query = scope with { Limit = settings.PageSize, Continue = null };
        ListResult<T> page;
        sink.BeginList();
        do
        {
            try
            {
                page = await client.ListAsync(query, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Gone && query.Continue is not null)
            {
                // The continue token has expired: read the list without paging.
                items.Clear();
                undecodable.Clear();
                query = query with { Limit = null, Continue = null };
                page = await client.ListAsync(query, cancellationToken).ConfigureAwait(false);
            }

            items.AddRange(sink.Transform(page.Items));
            undecodable.AddRange(page.Undecodable);
            query = query with { Continue = page.Continue };
        } while (page.Continue is not null);

        if (_notServed)
        {
            _notServed = false;
            Log.KindServed(logger, client.Kind.FullName, cluster);
        }

        if (ResourceVersions.IsOlder(page.ResourceVersion, _lastSeenVersion))
        {
            _mayBeRestored = true;
            Log.StorageRestored(logger, client.Kind.FullName, cluster, _lastSeenVersion!, page.ResourceVersion);
        }

        sink.Replace(items, page.ResourceVersion, undecodable, _mayBeRestored);
        _resourceVersion = _lastSeenVersion = page.ResourceVersion;
        _verified = true;
        _mayBeRestored = false;
        if (!_watchFailing)
        {
            _health.Recovered();
        }

        return TimeSpan.Zero;
    }

    // The request omits the selectors, because with them an API server may have to read every object to find one. A selector for a single
    // name is kept: its cost is low, and the Role may only permit this name.
    private async Task<TimeSpan> VerifyAsync(string resourceVersion, CancellationToken cancellationToken)
    {
        var name = scope.FieldSelector?.StartsWith("metadata.name=", StringComparison.Ordinal) == true ? scope.FieldSelector : null;
        var present = await client
            .ListAsync(
                new ListQuery
                {
                    Namespace = scope.Namespace,
                    FieldSelector = name,
                    Limit = 1,
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        _verified = true;
        if (ResourceVersions.IsOlder(present.ResourceVersion, resourceVersion))
        {
            RequireList();
        }

        return TimeSpan.Zero;
    }

    private async Task<TimeSpan> WatchAsync(CancellationToken interrupt, CancellationToken cancellationToken)
    {
        var length = settings.MinWatchDuration + ((settings.MaxWatchDuration - settings.MinWatchDuration) * settings.Random());
        var started = time.GetTimestamp();
        _eventsOfThisWatch = 0;

        // The server ends the watch after its timeoutSeconds; this timeout detects a dead connection.
        using var limit = new CancellationTokenSource(length + settings.WatchGrace, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, interrupt, limit.Token);
        try
        {
            using var response = await transport.SendAsync(WatchRequest(length), any.Token).ConfigureAwait(false);
            started = time.GetTimestamp();
            _verified = false;
            _watchFailing = false;
            _health.Recovered();
            return await ReadAsync(response, any.Token).ConfigureAwait(false) switch
            {
                WatchEnd.Expired => OnExpired(),
                WatchEnd.VersionDecreased => TimeSpan.Zero,
                _ when time.GetElapsedTime(started) >= settings.MinWatchDuration => OnCompleted(),
                _ => OnDropped("closed by the server", time.GetElapsedTime(started)),
            };
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Gone)
        {
            return OnExpired();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return OnDropped("the connection did not end with the timeout of the watch", time.GetElapsedTime(started));
        }
        catch (IOException e) when (_eventsOfThisWatch > 0 || time.GetElapsedTime(started) >= MinSuccessfulWatch)
        {
            return OnDropped(e.Message, time.GetElapsedTime(started));
        }
    }

    private async Task<WatchEnd> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var watchEvent in WatchStream.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (watchEvent.Type == "ERROR")
            {
                if (
                    watchEvent.Object.TryGetProperty("code", out var code)
                    && code.ValueKind == JsonValueKind.Number
                    && code.GetInt32() == (int)HttpStatusCode.Gone
                )
                {
                    return WatchEnd.Expired;
                }

                throw new HttpRequestException($"The watch ended with an error: {ApiStatus.MessageOf(watchEvent.Object.GetRawText())}");
            }

            if (ResourceVersions.IsOlder(VersionOf(watchEvent), _resourceVersion))
            {
                RequireList();
                return WatchEnd.VersionDecreased;
            }

            Handle(watchEvent);
            if (_eventsOfThisWatch++ == 0)
            {
                OnWatchSucceeded();
            }
        }

        return WatchEnd.Ended;
    }

    private void Handle(WatchEvent watchEvent)
    {
        if (watchEvent.Type is "ADDED" or "MODIFIED" or "DELETED")
        {
            if (client.TryDecode(watchEvent.Object, out var obj, out var problem))
            {
                sink.Changed(obj, deleted: watchEvent.Type == "DELETED");
            }
            else
            {
                sink.Undecodable(problem, deleted: watchEvent.Type == "DELETED");
            }
        }

        if (VersionOf(watchEvent) is { Length: > 0 } version)
        {
            _resourceVersion = _lastSeenVersion = version;
        }
    }

    private static string VersionOf(WatchEvent watchEvent) =>
        watchEvent.Object.TryGetProperty("metadata", out var metadata) ? metadata.StringOrEmpty("resourceVersion") : "";

    private TimeSpan OnNotServed()
    {
        if (!_notServed)
        {
            _notServed = true;
            _notServedDelay = settings.NotServedRetryInterval;
            Log.KindNotServed(logger, client.Kind.FullName, cluster);
        }
        else
        {
            var doubled = _notServedDelay * 2;
            _notServedDelay = doubled < settings.MaxNotServedRetryInterval ? doubled : settings.MaxNotServedRetryInterval;
        }

        _resourceVersion = null;
        _health.Recovered();
        sink.NotServed();
        return _notServedDelay;
    }

    private TimeSpan OnExpired()
    {
        sink.Restarted("expired");
        Log.WatchExpired(logger, client.Kind.FullName, cluster, _resourceVersion ?? "");
        _resourceVersion = null;
        return _eventsOfThisWatch > 0 ? TimeSpan.Zero : _backoff.Next(settings.BackoffCap);
    }

    private TimeSpan OnCompleted()
    {
        OnWatchSucceeded();
        return TimeSpan.Zero;
    }

    private TimeSpan OnDropped(string reason, TimeSpan duration)
    {
        sink.Restarted("dropped");
        Log.WatchDropped(logger, client.Kind.FullName, cluster, _resourceVersion ?? "", reason);
        if (duration >= MinSuccessfulWatch)
        {
            // For example, a proxy in front of the API server closed an idle connection.
            OnWatchSucceeded();
        }
        else if (_eventsOfThisWatch == 0)
        {
            OnWatchFailed();
        }

        return _backoff.Next(settings.BackoffCap);
    }

    private ApiRequest WatchRequest(TimeSpan length)
    {
        var parameters = ApiRequest.Query(
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", _resourceVersion),
            ("timeoutSeconds", Math.Max(1, (long)length.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ("labelSelector", scope.LabelSelector),
            ("fieldSelector", scope.FieldSelector)
        );
        return new(HttpMethod.Get, ApiRequest.PathOf(client.Kind, scope.Namespace) + parameters, "watch", client.Kind.FullName);
    }

    /// <summary>How a watch with a successful response ended.</summary>
    private enum WatchEnd
    {
        Ended,
        Expired,
        VersionDecreased,
    }
}
