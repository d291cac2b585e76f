using System.Reflection;
using k8s;
using k8s.Models;

namespace KubeLB.EndToEnd.Support;

/// <summary>Observes every state of a namespace's objects of a kind that the API server sends, in order.</summary>
public sealed class Observation<T> : IAsyncDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private int _seen;

    public Observation(IKubernetes client, string @namespace, Action<T> see)
    {
        var kind = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()!;
        var objects = new GenericClient(client, kind.Group, kind.ApiVersion, kind.PluralName, disposeClient: false);
        _watching = Task.Run(async () =>
        {
            await foreach (var (_, value) in objects.WatchNamespacedAsync<T>(@namespace, cancel: _stop.Token))
            {
                see(value);
                Interlocked.Increment(ref _seen);
            }
        });
    }

    /// <summary>How many states were seen.</summary>
    public int Seen => Volatile.Read(ref _seen);

    /// <summary>Stops, and fails if the watch did not last until now.</summary>
    public async ValueTask DisposeAsync()
    {
        var ended = _watching.IsCompleted;
        await _stop.CancelAsync();
        try
        {
            await _watching;
        }
        catch (OperationCanceledException) { }

        _stop.Dispose();
        ended.Should().BeFalse("a watch that ended early has not seen every state");
    }
}
