using Microsoft.Extensions.Hosting;

namespace KubeLB.Sandbox.Composition;

/// <summary>A controller that can be stopped and restarted, like a pod. Every start creates a new host.</summary>
public sealed class ControllerProcess : IAsyncDisposable
{
    private readonly Func<CancellationToken, Task<IHost>> _build;
    private readonly Func<IHost, Func<Task>>? _started;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private Func<Task>? _stopping;

    internal ControllerProcess(string name, Func<CancellationToken, Task<IHost>> build, Func<IHost, Func<Task>>? started = null)
    {
        Name = name;
        _build = build;
        _started = started;
    }

    /// <summary>Name of the component.</summary>
    public string Name { get; }

    /// <summary>The running host; null while stopped.</summary>
    public IHost? Host { get; private set; }

    /// <summary>Starts the controller, unless it is running.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Host is null)
            {
                var host = await _build(cancellationToken).ConfigureAwait(false);
                await host.StartAsync(cancellationToken).ConfigureAwait(false);
                Host = host;
                _stopping = _started?.Invoke(host);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops the controller, unless it is stopped.</summary>
    public async Task StopAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Host is { } host)
            {
                Host = null;
                if (_stopping is not null)
                {
                    await _stopping().ConfigureAwait(false);
                }

                await HostShutdown.StopAsync(host).ConfigureAwait(false);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Restarts the controller.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync().ConfigureAwait(false);
        await StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _gate.Dispose();
    }
}

/// <summary>Shuts down hosts.</summary>
internal static class HostShutdown
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>Stops and disposes a host.</summary>
    public static async Task StopAsync(IHost host)
    {
        using (var deadline = new CancellationTokenSource(Deadline))
        {
            try
            {
                await host.StopAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) { }
        }

        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync().ConfigureAwait(false);
        }
        else
        {
            host.Dispose();
        }
    }
}
