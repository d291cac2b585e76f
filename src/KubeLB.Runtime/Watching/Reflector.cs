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
/// Keeps a sink equal to the API server's objects of one kind:
/// <code>
///   Listing ──complete list──► Watching ──ended──► Verifying ──version is as late──► Watching from the last resourceVersion
///      ▲                          │                    │
///      └── 410, n failures, doubt ┴── version went back┘      every failure waits with backoff and stays in its state
///   404 (the kind is not served): the sink keeps what it has, and the kind is listed again, at a slow pace if it is optional.
/// </code>
/// An API server whose storage was restored from a backup accepts a watch from a version of the future, and sends nothing until versions
/// pass it. Therefore a list of one object compares versions before a watch resumes.
/// </summary>
internal sealed class Reflector<T>(
    string cluster,
    ResourceClient<T> client,
    ApiTransport transport,
    ListQuery scope,
    bool optional,
    IReflectorSink<T> sink,
    ClusterErrors troubles,
    ReflectorSettings settings,
    TimeProvider time,
    ILogger logger
) : IDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>A watch that lasted this long was a good one even if nothing happened; a shorter one that breaks is a failure.</summary>
    private static readonly TimeSpan UsefulWatch = TimeSpan.FromSeconds(5);

    private readonly WatchHealth _trouble = new(cluster, client.Kind, troubles, logger);
    private readonly Backoff _backoff = new(settings.BackoffBase, settings.Random);
    private readonly Lock _gate = new();
    private CancellationTokenSource _interrupt = new();
    private bool _listAfterInterrupt;

    /// <summary>Where the next watch starts; null while a complete list is needed.</summary>
    private string? _resourceVersion;

    /// <summary>The latest version that a list or a watch showed.</summary>
    private string? _seen;

    /// <summary>Whether the API server's present version is known not to be before <see cref="_resourceVersion"/>.</summary>
    private bool _verified;

    /// <summary>Whether the storage may have been put back since the last list.</summary>
    private bool _suspect;

    /// <summary>Whether the trouble is with watching, which a list that succeeds does not end.</summary>
    private bool _watchTrouble;
    private int _watchFailures;
    private int _framesOfThisWatch;
    private bool _absent;
    private TimeSpan _absentPause;

    public ApiError? Trouble => _trouble.Current;

    /// <summary>Ends the present watch, if there is one.</summary>
    /// <param name="list">Whether a complete list is read next; otherwise the watch resumes.</param>
    public void Restart(bool list)
    {
        lock (_gate)
        {
            _listAfterInterrupt |= list;
            _interrupt.Cancel();
        }
    }

    public void Dispose() => _interrupt.Dispose();

    /// <summary>Runs until cancelled; no failure ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var interrupt = TakeInterrupt();
            var doing = _resourceVersion is null ? "listing" : "watching";
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
                delay = AfterAbsence();
            }
#pragma warning disable CA1031 // Whatever happens to one informer is told and tried again; it must never end silently.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(ApiError.Of(e, cluster, transport.BaseAddress, client.Kind, doing), e);
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
                    ListNext();
                }
            }

            return _interrupt.Token;
        }
    }

    private void ListNext()
    {
        _resourceVersion = null;
        _suspect = true;
    }

    private void Failed(ApiError trouble, Exception failure)
    {
        _trouble.Failed(trouble);

        // Whoever answers that it is forbidden is the API server that answered before; anything else may be the end of one.
        _verified &= failure is HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden };
        if (_resourceVersion is not null)
        {
            sink.Restarted("failed");
            _watchTrouble = true;
            if (failure is HttpRequestException { StatusCode: null })
            {
                // No answer: an API server that was away may be back with a storage that was restored meanwhile, and have passed our
                // version again.
                ListNext();
            }
            else
            {
                WatchFailed();
            }
        }

        if (trouble.Category == ApiError.NotServed)
        {
            // If it is served again, its objects may be others: only a list shows them.
            _resourceVersion = null;
            sink.NotServed();
        }
    }

    private void WatchFailed()
    {
        if (++_watchFailures >= settings.WatchFailuresBeforeList)
        {
            _watchFailures = 0;
            ListNext();
        }
    }

    private void WatchSucceeded()
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
        sink.Listing();
        do
        {
            try
            {
                page = await client.ListAsync(query, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Gone && query.Continue is not null)
            {
                // The snapshot behind the continue token is gone: pages cannot be had, so take everything at once.
                items.Clear();
                undecodable.Clear();
                query = query with { Limit = null, Continue = null };
                page = await client.ListAsync(query, cancellationToken).ConfigureAwait(false);
            }

            items.AddRange(page.Items);
            undecodable.AddRange(page.Undecodable);
            query = query with { Continue = page.Continue };
        } while (page.Continue is not null);

        if (_absent)
        {
            _absent = false;
            Log.NoLongerAbsent(logger, client.Kind.FullName, cluster);
        }

        if (ResourceVersions.GoesBack(page.ResourceVersion, _seen))
        {
            _suspect = true;
            Log.WentBack(logger, client.Kind.FullName, cluster, _seen!, page.ResourceVersion);
        }

        sink.Replace(items, page.ResourceVersion, undecodable, _suspect);
        _resourceVersion = _seen = page.ResourceVersion;
        _verified = true;
        _suspect = false;
        if (!_watchTrouble)
        {
            _trouble.Recovered();
        }

        return TimeSpan.Zero;
    }

    // Without the selectors: with them an API server may have to read every object to find one. A single name costs nothing, and the role
    // may permit no more than that.
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
        if (ResourceVersions.GoesBack(present.ResourceVersion, resourceVersion))
        {
            ListNext();
        }

        return TimeSpan.Zero;
    }

    private async Task<TimeSpan> WatchAsync(CancellationToken interrupt, CancellationToken cancellationToken)
    {
        var length = settings.ShortestWatch + ((settings.LongestWatch - settings.ShortestWatch) * settings.Random());
        var started = time.GetTimestamp();
        _framesOfThisWatch = 0;

        // The server ends the watch in time; this ends it if the connection died without a word.
        using var limit = new CancellationTokenSource(length + settings.WatchGrace, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, interrupt, limit.Token);
        try
        {
            using var response = await transport.SendAsync(WatchRequest(length), any.Token).ConfigureAwait(false);
            started = time.GetTimestamp();
            _verified = false;
            _watchTrouble = false;
            _trouble.Recovered();
            return await ReadAsync(response, any.Token).ConfigureAwait(false) switch
            {
                WatchEnd.Expired => AfterExpiry(),
                WatchEnd.WentBack => TimeSpan.Zero,
                _ when time.GetElapsedTime(started) >= settings.ShortestWatch => AfterFullLength(),
                _ => AfterDrop("the server ended it", time.GetElapsedTime(started)),
            };
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Gone)
        {
            return AfterExpiry();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return AfterDrop("nothing came for longer than the watch was to last", time.GetElapsedTime(started));
        }
        catch (IOException e) when (_framesOfThisWatch > 0 || time.GetElapsedTime(started) >= UsefulWatch)
        {
            return AfterDrop(e.Message, time.GetElapsedTime(started));
        }
    }

    private async Task<WatchEnd> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var frame in WatchStream.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (frame.Type == "ERROR")
            {
                if (
                    frame.Object.TryGetProperty("code", out var code)
                    && code.ValueKind == JsonValueKind.Number
                    && code.GetInt32() == (int)HttpStatusCode.Gone
                )
                {
                    return WatchEnd.Expired;
                }

                throw new HttpRequestException($"The watch ended with an error: {StatusMessage.Of(frame.Object.GetRawText())}");
            }

            if (ResourceVersions.GoesBack(VersionOf(frame), _resourceVersion))
            {
                ListNext();
                return WatchEnd.WentBack;
            }

            Take(frame);
            if (_framesOfThisWatch++ == 0)
            {
                WatchSucceeded();
            }
        }

        return WatchEnd.Ended;
    }

    private void Take(WatchFrame frame)
    {
        if (frame.Type is "ADDED" or "MODIFIED" or "DELETED")
        {
            if (client.TryDecode(frame.Object, out var obj, out var problem))
            {
                sink.Changed(obj, deleted: frame.Type == "DELETED");
            }
            else
            {
                sink.Undecodable(problem, deleted: frame.Type == "DELETED");
            }
        }

        if (VersionOf(frame) is { Length: > 0 } version)
        {
            _resourceVersion = _seen = version;
        }
    }

    private static string VersionOf(WatchFrame frame) =>
        frame.Object.TryGetProperty("metadata", out var metadata) ? ResourceClient<T>.Text(metadata, "resourceVersion") : "";

    private TimeSpan AfterAbsence()
    {
        if (!_absent)
        {
            _absent = true;
            _absentPause = settings.AbsentPause;
            Log.Absent(logger, client.Kind.FullName, cluster);
        }
        else
        {
            var longer = _absentPause * 2;
            _absentPause = longer < settings.LongestAbsentPause ? longer : settings.LongestAbsentPause;
        }

        _resourceVersion = null;
        _trouble.Recovered();
        sink.NotServed();
        return _absentPause;
    }

    private TimeSpan AfterExpiry()
    {
        sink.Restarted("expired");
        Log.Expired(logger, client.Kind.FullName, cluster, _resourceVersion ?? "");
        _resourceVersion = null;
        return _framesOfThisWatch > 0 ? TimeSpan.Zero : _backoff.Next(settings.BackoffCap);
    }

    private TimeSpan AfterFullLength()
    {
        WatchSucceeded();
        return TimeSpan.Zero;
    }

    private TimeSpan AfterDrop(string why, TimeSpan lasted)
    {
        sink.Restarted("dropped");
        Log.WatchDropped(logger, client.Kind.FullName, cluster, _resourceVersion ?? "", why);
        if (lasted >= UsefulWatch)
        {
            // A proxy between us and the API server, for example, that ends what is idle.
            WatchSucceeded();
        }
        else if (_framesOfThisWatch == 0)
        {
            WatchFailed();
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

    /// <summary>How a watch ended that the API server had begun to answer.</summary>
    private enum WatchEnd
    {
        Ended,
        Expired,
        WentBack,
    }
}
