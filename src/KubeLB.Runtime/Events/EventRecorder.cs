using System.Net;
using System.Threading.Channels;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Events;

/// <summary>
/// Records core/v1 Events of objects, as <c>kubectl describe</c> shows them. Recording returns at once and does not fail; Events are sent
/// in the background, by the leader only, and dropped if the queue is full. Repetitions increase the count of the existing Event; the rate
/// per object is limited. Registered by <c>AddEventRecorder</c>; inject it with <c>[FromKeyedServices("cluster")] EventRecorder</c>.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/</remarks>
public sealed class EventRecorder : IDisposable
{
    /// <summary>The length of the queue; further Events are dropped.</summary>
    internal const int Capacity = 1000;

    /// <summary>The number of attempts to send an Event, if the error is transient.</summary>
    internal const int MaxAttempts = 3;

    /// <summary>The time between two attempts.</summary>
    internal static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    // Short, because it delays the stop of the process.
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster;
    private readonly string _component;
    private readonly ILeadership _leadership;
    private readonly Supervisor _supervisor;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventCorrelator _correlator;
    private readonly Channel<RecordedEvent> _queue;
    private readonly WriteLimit? _perNamespace;
    private readonly LruCache<string, TokenBucket> _namespaces = new(EventCorrelator.CacheSize);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _sending = Task.CompletedTask;
    private bool _isFailing;

    internal EventRecorder(
        Cluster cluster,
        string component,
        ILeadership leadership,
        Supervisor supervisor,
        TimeProvider time,
        ILogger logger,
        WriteLimit? perNamespace = null
    )
    {
        _perNamespace = perNamespace;
        _supervisor = supervisor;
        _cluster = cluster;
        _component = component;
        _leadership = leadership;
        _time = time;
        _logger = logger;
        _correlator = new EventCorrelator(time);
        _queue = Channel.CreateBounded<RecordedEvent>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true },
            dropped => Log.EventDropped(_logger, dropped.Reason, dropped.Subject.Name)
        );
    }

    /// <summary>Records an Event. Call it after a change of state, not at every reconcile.</summary>
    /// <param name="subject">The object, as read from the API server.</param>
    /// <param name="type">The type.</param>
    /// <param name="reason">The reason, a CamelCase word of at most 128 characters.</param>
    /// <param name="message">The message, with a remedy; truncated to 1,000 characters.</param>
    public void Record<T>(T subject, EventType type, string reason, string message)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentNullException.ThrowIfNull(message);
        if (!_leadership.IsLeader)
        {
            return;
        }

        // Before the queue, which all namespaces share.
        if (IsWithinLimit(subject.Metadata.NamespaceProperty ?? ""))
        {
            _queue.Writer.TryWrite(RecordedEvent.Create(subject, type, reason, message));
        }
        else
        {
            Log.EventRateLimited(_logger, ResourceKind.Of<T>().Kind, subject.Metadata.Name);
        }
    }

    private bool IsWithinLimit(string @namespace)
    {
        if (_perNamespace is not { } limit || @namespace.Length == 0)
        {
            return true;
        }

        lock (_gate)
        {
            return _namespaces.GetOrAdd(@namespace, () => new TokenBucket(limit.Burst, limit.Interval, _time)).TryTake();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stop.Dispose();
        _ended.Dispose();
    }

    internal void Start() =>
        _sending = _supervisor.Run($"events {_component}/{_cluster.Name}", WhenFaulted.Restart, SendAllAsync, _ended.Token);

    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        // Cancelled first, because the supervisor treats the end of a loop that was not stopped as a failure.
        await _ended.CancelAsync().ConfigureAwait(false);
        _queue.Writer.TryComplete();
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            await Task.WhenAny(_sending, Task.Delay(FlushTimeout, _time, limit.Token)).ConfigureAwait(false);
            await limit.CancelAsync().ConfigureAwait(false);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
    }

    private async Task SendAllAsync()
    {
        await foreach (var recorded in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            await SendAsync(recorded).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(RecordedEvent recorded)
    {
        EventCorrelator.Entry entry;
        try
        {
            if (_correlator.Admit(recorded) is not { } admitted)
            {
                Log.EventRateLimited(_logger, recorded.Subject.Kind, recorded.Subject.Name);
                return;
            }

            entry = admitted;
        }
#pragma warning disable CA1031 // Events are best effort: only this Event is lost.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.EventFailed(_logger, _cluster.Name, recorded.Reason, recorded.Subject.Kind, recorded.Subject.Name, e.Message);
            return;
        }

        for (var attempt = 1; _leadership.IsLeader; attempt++)
        {
            try
            {
                await WriteAsync(recorded, entry).ConfigureAwait(false);
                _isFailing = false;
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                throw;
            }
#pragma warning disable CA1031 // Events are best effort: an error must not affect anything else.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!_isFailing)
                {
                    _isFailing = true;
                    Log.EventFailed(_logger, _cluster.Name, recorded.Reason, recorded.Subject.Kind, recorded.Subject.Name, e.Message);
                }

                if (attempt == MaxAttempts || IsPermanent(e))
                {
                    return;
                }
            }

            await Task.Delay(RetryInterval, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(RecordedEvent recorded, EventCorrelator.Entry entry)
    {
        if (entry.Name is not null)
        {
            try
            {
                await _cluster
                    .ClientOf<Corev1Event>()
                    .MergePatchAsync(new ResourceKey(recorded.Namespace, entry.Name), RecordedEvent.RepeatPatch(entry), _stop.Token)
                    .ConfigureAwait(false);
                return;
            }
            catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
            {
                // The Event has expired: API servers keep Events for an hour by default.
                entry.Restart();
            }
        }

        var name = recorded.NameFor(_correlator.NextStamp());
        await _cluster
            .ClientOf<Corev1Event>()
            .CreateAsync(recorded.ToJson(name, _component, entry), recorded.Namespace, _stop.Token)
            .ConfigureAwait(false);
        entry.Name = name;
    }

    private static bool IsPermanent(Exception failure) =>
        failure
            is HttpOperationException
            {
                Response.StatusCode: >= HttpStatusCode.BadRequest
                    and < HttpStatusCode.InternalServerError
                    and not HttpStatusCode.TooManyRequests
            };
}

/// <summary>The type of an Event.</summary>
public enum EventType
{
    /// <summary>Information.</summary>
    Normal,

    /// <summary>A problem that may require action.</summary>
    Warning,
}

/// <summary>Starts and stops a recorder with the host.</summary>
internal sealed class EventRecorderService(EventRecorder recorder) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        recorder.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => recorder.StopAsync(cancellationToken);
}

/// <summary>Registers event recorders in a host.</summary>
public static class EventServiceCollectionExtensions
{
    /// <summary>Adds an <see cref="EventRecorder"/> for a cluster, as a keyed singleton with the name of the cluster as key.</summary>
    /// <param name="services">The services of the host, with the runtime.</param>
    /// <param name="cluster">The name of the cluster that Events are sent to.</param>
    /// <param name="component">The source of the Events.</param>
    /// <param name="perNamespace">
    /// The limit of the Events of the objects of a namespace, for a cluster in which each namespace belongs to another tenant; null for
    /// none. Further Events are dropped.
    /// </param>
    public static IServiceCollection AddEventRecorder(
        this IServiceCollection services,
        string cluster,
        string component,
        WriteLimit? perNamespace = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        ArgumentException.ThrowIfNullOrEmpty(component);
        services.AddKeyedSingleton(
            cluster,
            (provider, _) =>
                new EventRecorder(
                    provider.GetRequiredKeyedService<Cluster>(cluster),
                    component,
                    provider.GetRequiredService<ILeadership>(),
                    provider.GetRequiredService<Supervisor>(),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILoggerFactory>().CreateLogger("KubeLB.Runtime.Events"),
                    perNamespace
                )
        );
        return services.AddSingleton<IHostedService>(provider => new EventRecorderService(
            provider.GetRequiredKeyedService<EventRecorder>(cluster)
        ));
    }
}
