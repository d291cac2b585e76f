using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Inspection.Dashboard;

/// <summary>
/// Follows the caches: computes changed rows and the paths that pages show, and sends what changed to the pages, at most once per
/// <see cref="Debounce"/>.
/// </summary>
internal sealed class DashboardFeed(
    DashboardClusters clusters,
    RowTable rows,
    TraceViews traces,
    ProxyStates proxies,
    DashboardTraffic traffic,
    DashboardOptions options
) : BackgroundService
{
    /// <summary>Changes within this time are sent together.</summary>
    public static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(200);

    /// <summary>Maximum number of open pages.</summary>
    public const int MaxReaders = 32;

    // How often due readings of metrics are looked for.
    private static readonly TimeSpan TrafficCheck = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly Lock _gate = new();
    private readonly List<FeedReader> _readers = [];
    private readonly List<IDisposable> _subscriptions = [];
    private readonly HashSet<WatchedTenant> _listed = [];
    private string _problems = "[]";
    private bool _isClosed;

    /// <summary>The JSON of all responses.</summary>
    public static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter() },
        };

    /// <summary>What cannot be read at the moment.</summary>
    public IReadOnlyList<string> Problems =>
        [.. clusters.Problems(), .. proxies.Problem is { } problem ? [problem] : Array.Empty<string>()];

    /// <summary>Adds a page.</summary>
    /// <param name="since">The version of the rows that it has.</param>
    /// <param name="selection">The object that it shows; null for none.</param>
    /// <param name="tenants">Names of the tenants whose traffic it shows.</param>
    /// <returns>The page's events; null if there are too many pages.</returns>
    public FeedReader? Read(long since, ObjectSelection? selection, IReadOnlyList<string> tenants)
    {
        var reader = new FeedReader(selection, tenants);
        lock (_gate)
        {
            if (_isClosed || _readers.Count >= MaxReaders)
            {
                return null;
            }

            // No change is lost or sent twice: changes are published under the lock.
            if (rows.Since(since) is { } changes)
            {
                reader.Send("rows", JsonSerializer.Serialize(changes, Json));
            }
            else
            {
                reader.Send("reload", "{}");
            }

            reader.Send("problems", _problems);
            _readers.Add(reader);
        }

        RefreshTraffic();
        Touch();
        return reader;
    }

    /// <summary>Ends the events of all pages, so that the server can stop.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _readers.ForEach(r => r.Close());
        }
    }

    /// <summary>Removes a page.</summary>
    public void Remove(FeedReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _subscriptions.ForEach(s => s.Dispose());
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Subscribe();
        proxies.Received = Touch;
        traffic.Received = Touch;
        using var beat = new PeriodicTimer(options.Interval);
        var beats = RepeatAsync(beat, Beat, stoppingToken);
        using var check = new PeriodicTimer(TrafficCheck);
        var checks = RepeatAsync(check, RefreshTraffic, stoppingToken);
        try
        {
            while (await _changed.Reader.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
            {
                _changed.Reader.TryRead(out _);
                Publish();
                await Task.Delay(Debounce, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) { }
        finally
        {
            await beats.ConfigureAwait(false);
            await checks.ConfigureAwait(false);
            Close();
        }
    }

    private static async Task RepeatAsync(PeriodicTimer timer, Action action, CancellationToken stoppingToken)
    {
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                action();
            }
        }
        catch (OperationCanceledException) { }
    }

    private void Beat()
    {
        lock (_gate)
        {
            _readers.ForEach(r => r.Send("heartbeat", "{}"));
        }

        Touch();
    }

    private void RefreshTraffic()
    {
        List<string> tenants;
        lock (_gate)
        {
            tenants = [.. _readers.SelectMany(r => r.Tenants).Distinct(StringComparer.Ordinal)];
        }

        traffic.Refresh(tenants);
    }

    private void PublishTraffic()
    {
        lock (_gate)
        {
            foreach (var tenant in _readers.SelectMany(r => r.Tenants).Distinct(StringComparer.Ordinal).ToList())
            {
                if (traffic.Of(tenant) is { } view)
                {
                    var json = new Lazy<string>(() => JsonSerializer.Serialize(view, Json));
                    _readers.Where(r => r.Tenants.Contains(tenant)).ToList().ForEach(r => r.SendTraffic(view, json));
                }
            }
        }
    }

    private void Publish()
    {
        MarkAfterFirstLists();
        List<ObjectSelection> selections;
        lock (_gate)
        {
            // Once for each interval, whatever a tenant changes meanwhile: pages need the lock, too.
            if (rows.Update() is { } changes)
            {
                var json = JsonSerializer.Serialize(changes, Json);
                _readers.ForEach(r => r.Send("rows", json));
            }

            var problems = JsonSerializer.Serialize(Problems, Json);
            if (problems != _problems)
            {
                _problems = problems;
                _readers.ForEach(r => r.Send("problems", problems));
            }

            selections = [.. _readers.Select(r => r.Selection).OfType<ObjectSelection>().Distinct()];
        }

        PublishTraffic();
        if (rows.HasMarks)
        {
            Touch();
        }

        foreach (var selection in selections)
        {
            var json = JsonSerializer.Serialize(traces.View(selection), Json);
            lock (_gate)
            {
                _readers.Where(r => r.Selection == selection).ToList().ForEach(r => r.SendTrace(json));
            }
        }
    }

    // That a Gateway is missing is only known, and no change of one, when all have been read.
    private void MarkAfterFirstLists()
    {
        foreach (var tenant in clusters.Tenants)
        {
            if (
                !_listed.Contains(tenant)
                && tenant.Cluster.Informer<Gateway>().IsComplete
                && tenant.Cluster.Informer<GatewayClass>().IsComplete
            )
            {
                _listed.Add(tenant);
                rows.MarkAll(tenant);
            }
        }
    }

    private void Touch() => _changed.Writer.TryWrite(true);

    private void Subscribe()
    {
        foreach (var tenant in clusters.Tenants)
        {
            On<HttpRoute>(tenant.Cluster, c => rows.Mark(HttpRoute.KindName, c.Key.Namespace, c.Key.Name));
            On<GrpcRoute>(tenant.Cluster, c => rows.Mark(GrpcRoute.KindName, c.Key.Namespace, c.Key.Name));
            On<Gateway>(tenant.Cluster, c => Mark(tenant, c));
            On<GatewayClass>(
                tenant.Cluster,
                c =>
                {
                    // An annotation must not compute all rows again.
                    if (c.Old?.Spec?.ControllerName != c.New?.Spec?.ControllerName || c.Old is null || c.New is null)
                    {
                        rows.MarkAll(tenant);
                    }
                }
            );
            On<ReferenceGrant>(tenant.Cluster);
            On<V1Namespace>(tenant.Cluster);
            On<V1Service>(tenant.Cluster);
            On<V1EndpointSlice>(tenant.Cluster);
        }

        if (clusters.ManagementCluster is { } management)
        {
            On<Route>(management, c => c.Both().ToList().ForEach(rows.Mark));
            On<Tenant>(management, c => rows.Mark(Tenant.KindName, "", c.Key.Name));
            On<Config>(management);
            On<Addresses>(management);
            On<Gateway>(management);
            On<HttpRoute>(management);
            On<GrpcRoute>(management);
            On<V1Service>(management);
            On<V1Pod>(management);
        }

        Touch();
    }

    private void Mark(WatchedTenant tenant, Change<Gateway> change)
    {
        rows.Mark(Gateway.KindName, change.Key.Namespace, change.Key.Name);
        // A status with another number of attached routes must not compute all of them again.
        if (change.Old?.Spec?.GatewayClassName != change.New?.Spec?.GatewayClassName)
        {
            var key = WatchedKinds.GatewayKey(change.Key.Namespace, change.Key.Name);
            MarkRoutes<HttpRoute>(HttpRoute.KindName);
            MarkRoutes<GrpcRoute>(GrpcRoute.KindName);

            void MarkRoutes<T>(string kind)
                where T : class, IKubernetesObject<V1ObjectMeta>
            {
                foreach (var route in tenant.Cluster.Informer<T>().ByIndex(WatchedKinds.ByGateway, key))
                {
                    rows.Mark(kind, route.Metadata.NamespaceProperty, route.Metadata.Name);
                }
            }
        }
    }

    private void On<T>(Cluster cluster, Action<Change<T>>? handle = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _subscriptions.Add(
            cluster
                .Informer<T>()
                .Subscribe(change =>
                {
                    handle?.Invoke(change);
                    Touch();
                })
        );
}

/// <summary>The events of one page.</summary>
internal sealed class FeedReader(ObjectSelection? selection, IReadOnlyList<string> tenants) : IDisposable
{
    private const int MaxQueued = 256;

    private readonly Channel<string> _events = Channel.CreateBounded<string>(
        new BoundedChannelOptions(MaxQueued) { FullMode = BoundedChannelFullMode.Wait }
    );
    private readonly CancellationTokenSource _closed = new();
    private readonly Dictionary<string, TrafficView> _traffic = new(StringComparer.Ordinal);
    private string? _trace;

    /// <summary>Cancelled when the page is disconnected, also while a write to it does not end.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>The object that the page shows; null for none.</summary>
    public ObjectSelection? Selection { get; } = selection;

    /// <summary>Names of the tenants whose traffic the page shows.</summary>
    public IReadOnlyList<string> Tenants { get; } = tenants;

    /// <summary>The events, in the format of server-sent events.</summary>
    public ChannelReader<string> Events => _events.Reader;

    /// <summary>Sends an event. A page that does not read is disconnected; it connects again and gets what it missed.</summary>
    public void Send(string type, string json)
    {
        if (!_events.Writer.TryWrite($"event: {type}\ndata: {json}\n\n"))
        {
            Close();
        }
    }

    /// <summary>Sends the path, if it has changed.</summary>
    public void SendTrace(string json)
    {
        if (json != _trace)
        {
            _trace = json;
            Send("trace", json);
        }
    }

    /// <summary>Sends the traffic of a tenant, if it is new.</summary>
    public void SendTraffic(TrafficView view, Lazy<string> json)
    {
        if (!ReferenceEquals(_traffic.GetValueOrDefault(view.Tenant), view))
        {
            _traffic[view.Tenant] = view;
            Send("traffic", json.Value);
        }
    }

    /// <summary>Ends the events.</summary>
    public void Close()
    {
        _events.Writer.TryComplete();
        _closed.Cancel();
    }

    /// <inheritdoc />
    public void Dispose() => _closed.Dispose();
}
