using System.Net;
using System.Threading.Channels;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Events;

/// <summary>
/// Tells people what happened to an object: core/v1 Events, as <c>kubectl describe</c> shows them. Recording returns at once and never
/// fails; Events are sent in the background, dropped when too many wait, and sent by the leader only. Repetitions raise the count of the
/// Event that is there; an object that says too much is silenced for a while. Registered by <c>AddEventRecorder</c>; get it with
/// <c>[FromKeyedServices("cluster")] EventRecorder</c>.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/</remarks>
public sealed class EventRecorder : IDisposable
{
    /// <summary>Events that may wait to be sent; further ones are dropped.</summary>
    internal const int Capacity = 1000;

    /// <summary>Attempts at an Event while the API server gives no answer, or one that asks for patience.</summary>
    internal const int Attempts = 3;

    /// <summary>Between two attempts.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // At the end, for what waits: little, as the end must not wait for it.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster;
    private readonly string _component;
    private readonly ILeadership _leadership;
    private readonly Supervisor _supervisor;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventMemory _memory;
    private readonly Channel<RecordedEvent> _waiting;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _sending = Task.CompletedTask;
    private bool _isInTrouble;

    internal EventRecorder(
        Cluster cluster,
        string component,
        ILeadership leadership,
        Supervisor supervisor,
        TimeProvider time,
        ILogger logger
    )
    {
        _supervisor = supervisor;
        _cluster = cluster;
        _component = component;
        _leadership = leadership;
        _time = time;
        _logger = logger;
        _memory = new EventMemory(time);
        _waiting = Channel.CreateBounded<RecordedEvent>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true },
            dropped => Log.Dropped(_logger, dropped.Reason, dropped.About.Name)
        );
    }

    /// <summary>Records something that happened to an object. Call it when something changed, not at every look.</summary>
    /// <param name="about">The object, as it was read from the API server.</param>
    /// <param name="type">How much it matters.</param>
    /// <param name="reason">Why, as one CamelCase word for machines; at most 128 characters.</param>
    /// <param name="message">What happened and what to do, for people; cut to 1,000 characters.</param>
    public void Record<T>(T about, EventType type, string reason, string message)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(about);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentNullException.ThrowIfNull(message);
        if (_leadership.IsLeader)
        {
            _waiting.Writer.TryWrite(RecordedEvent.Of(about, type, reason, message));
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stop.Dispose();
        _ended.Dispose();
    }

    // What is sent is told as well as can be, one Event at a time.
    internal void Start() =>
        _sending = _supervisor.Run($"events {_component}/{_cluster.Name}", WhenFaulted.Restart, SendAllAsync, _ended.Token);

    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        // From here on the loop may end: there is nothing more to send.
        await _ended.CancelAsync().ConfigureAwait(false);
        _waiting.Writer.TryComplete();
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            await Task.WhenAny(_sending, Task.Delay(LastWords, _time, limit.Token)).ConfigureAwait(false);
            await limit.CancelAsync().ConfigureAwait(false);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
    }

    private async Task SendAllAsync()
    {
        await foreach (var recorded in _waiting.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            await SendAsync(recorded).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(RecordedEvent recorded)
    {
        EventMemory.Entry entry;
        try
        {
            if (_memory.Admit(recorded) is not { } admitted)
            {
                Log.Silenced(_logger, recorded.About.Kind, recorded.About.Name);
                return;
            }

            entry = admitted;
        }
#pragma warning disable CA1031 // As below: this Event is lost, and no other.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.Failed(_logger, _cluster.Name, recorded.Reason, recorded.About.Kind, recorded.About.Name, e.Message);
            return;
        }

        for (var attempt = 1; _leadership.IsLeader; attempt++)
        {
            try
            {
                await WriteAsync(recorded, entry).ConfigureAwait(false);
                _isInTrouble = false;
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                throw;
            }
#pragma warning disable CA1031 // Events are told as well as can be; nothing else may fail because of them.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!_isInTrouble)
                {
                    _isInTrouble = true;
                    Log.Failed(_logger, _cluster.Name, recorded.Reason, recorded.About.Kind, recorded.About.Name, e.Message);
                }

                if (attempt == Attempts || IsFinal(e))
                {
                    return;
                }
            }

            await Task.Delay(Pause, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(RecordedEvent recorded, EventMemory.Entry entry)
    {
        if (entry.Name is not null)
        {
            try
            {
                await _cluster
                    .ClientOf<Corev1Event>()
                    .MergePatchAsync(new ResourceKey(recorded.Namespace, entry.Name), RecordedEvent.Repetition(entry), _stop.Token)
                    .ConfigureAwait(false);
                return;
            }
            catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
            {
                // The API server keeps Events for an hour, commonly.
                entry.Restart();
            }
        }

        var name = recorded.NameAt(_memory.NextStamp());
        await _cluster
            .ClientOf<Corev1Event>()
            .CreateAsync(recorded.ToJson(name, _component, entry), recorded.Namespace, _stop.Token)
            .ConfigureAwait(false);
        entry.Name = name;
    }

    // Asked again, the API server would say the same.
    private static bool IsFinal(Exception failure) =>
        failure
            is HttpOperationException
            {
                Response.StatusCode: >= HttpStatusCode.BadRequest
                    and < HttpStatusCode.InternalServerError
                    and not HttpStatusCode.TooManyRequests
            };
}
