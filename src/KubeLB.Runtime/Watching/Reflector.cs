using System.Globalization;
using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Keeps a sink equal to the API server's objects of one kind:
/// <code>
///   Listing ──complete list──► Watching ──dropped──► Watching from the last resourceVersion
///      ▲                          │
///      └────────── 410 Gone ──────┘        every failure waits with backoff and stays in its state
///   404 (the kind is not served): the sink keeps what it has, and the kind is listed again, at a slow pace if it is optional.
/// </code>
/// </summary>
internal sealed class Reflector<T>(
    string cluster,
    ResourceClient<T> client,
    ApiTransport transport,
    ListQuery scope,
    bool optional,
    IReflectorSink<T> sink,
    ClusterTroubles troubles,
    ReflectorSettings settings,
    TimeProvider time,
    ILogger logger)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>A watch that lasted this long was a good one even if nothing happened; a shorter one that breaks is a failure.</summary>
    private static readonly TimeSpan UsefulWatch = TimeSpan.FromSeconds(5);

    private readonly TroubleState _trouble = new(cluster, client.Kind, troubles, logger);
    private readonly Backoff _backoff = new(settings.BackoffBase, settings.BackoffCap, settings.Random);

    /// <summary>Where the next watch starts; null while a complete list is needed.</summary>
    private string? _resourceVersion;
    private int _framesOfThisWatch;
    private bool _absent;
    private TimeSpan _absentPause;

    public ApiTrouble? Trouble => _trouble.Current;

    /// <summary>Runs until cancelled; no failure ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var listing = _resourceVersion is null;
            TimeSpan delay;
            try
            {
                delay = listing ? await ListAsync(cancellationToken).ConfigureAwait(false) : await WatchAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (HttpOperationException e) when (optional && e.Response?.StatusCode == HttpStatusCode.NotFound)
            {
                delay = AfterAbsence();
            }
#pragma warning disable CA1031 // Whatever happens to one informer is told and tried again; it must never end silently.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(ApiTrouble.Of(e, cluster, transport.BaseAddress, client.Kind, listing ? "listing" : "watching"), listing);
                delay = _backoff.Next();
            }

            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Failed(ApiTrouble trouble, bool listing)
    {
        _trouble.Failed(trouble);
        if (!listing)
        {
            sink.Restarted("failed");
        }

        if (trouble.Category == ApiTrouble.NotServed)
        {
            // If it is served again, its objects may be others: only a list shows them.
            _resourceVersion = null;
            sink.NotServed();
        }
    }

    private async Task<TimeSpan> ListAsync(CancellationToken cancellationToken)
    {
        var items = new List<T>();
        var undecodable = new List<UndecodableObject>();
        var query = scope with { Limit = settings.PageSize, Continue = null };
        ListResult<T> page;
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
        }
        while (page.Continue is not null);

        if (_absent)
        {
            _absent = false;
            Log.NoLongerAbsent(logger, client.Kind.FullName, cluster);
        }

        sink.Replace(items, page.ResourceVersion, undecodable);
        _resourceVersion = page.ResourceVersion;
        _trouble.Recovered();
        return TimeSpan.Zero;
    }

    private async Task<TimeSpan> WatchAsync(CancellationToken cancellationToken)
    {
        var length = settings.ShortestWatch + ((settings.LongestWatch - settings.ShortestWatch) * settings.Random());
        var started = time.GetTimestamp();
        _framesOfThisWatch = 0;

        // The server ends the watch in time; this ends it if the connection died without a word.
        using var limit = new CancellationTokenSource(length + settings.WatchGrace, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var response = await transport.SendAsync(WatchRequest(length), either.Token).ConfigureAwait(false);
            _trouble.Recovered();
            if (await ReadAsync(response, either.Token).ConfigureAwait(false))
            {
                return AfterExpiry();
            }

            if (time.GetElapsedTime(started) >= settings.ShortestWatch)
            {
                _backoff.Reset();
                return TimeSpan.Zero;
            }

            return AfterDrop("the server ended it");
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Gone)
        {
            return AfterExpiry();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return AfterDrop("nothing came for longer than the watch was to last");
        }
        catch (IOException e) when (_framesOfThisWatch > 0 || time.GetElapsedTime(started) >= UsefulWatch)
        {
            return AfterDrop(e.Message);
        }
    }

    /// <returns>True if the API server said that the version is no longer kept.</returns>
    private async Task<bool> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var frame in WatchStream.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (frame.Type == "ERROR")
            {
                if (frame.Object.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.Number && code.GetInt32() == (int)HttpStatusCode.Gone)
                {
                    return true;
                }

                throw new HttpRequestException($"The watch ended with an error: {StatusMessage.Of(frame.Object.GetRawText())}");
            }

            Take(frame);
            if (_framesOfThisWatch++ == 0)
            {
                _backoff.Reset();
            }
        }

        return false;
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

        if (frame.Object.TryGetProperty("metadata", out var metadata)
            && ResourceClient<T>.Text(metadata, "resourceVersion") is { Length: > 0 } version)
        {
            _resourceVersion = version;
        }
    }

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
        return _framesOfThisWatch > 0 ? TimeSpan.Zero : _backoff.Next();
    }

    private TimeSpan AfterDrop(string why)
    {
        sink.Restarted("dropped");
        Log.WatchDropped(logger, client.Kind.FullName, cluster, _resourceVersion ?? "", why);
        return _backoff.Next();
    }

    private ApiRequest WatchRequest(TimeSpan length)
    {
        var parameters = ApiRequest.Query(
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", _resourceVersion),
            ("timeoutSeconds", Math.Max(1, (long)length.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ("labelSelector", scope.LabelSelector),
            ("fieldSelector", scope.FieldSelector));
        return new(HttpMethod.Get, ApiRequest.PathOf(client.Kind, scope.Namespace) + parameters, "watch", client.Kind.FullName);
    }
}
