using System.Threading.Channels;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;
using Microsoft.Extensions.Logging;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Passes every change, in order, to the controllers.</summary>
internal sealed class ControllerLoop : IAsyncDisposable
{
    private readonly Channel<StoreChange> _changes = Channel.CreateUnbounded<StoreChange>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly IReadOnlyList<IClusterController> _controllers;
    private readonly ILogger _logger;
    private readonly Task _loop;

    public ControllerLoop(ClusterStore store, IReadOnlyList<IClusterController> controllers, ILogger logger)
    {
        _controllers = controllers;
        _logger = logger;
        store.Follow(change => _changes.Writer.TryWrite(change));
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        await foreach (var change in _changes.Reader.ReadAllAsync())
        {
            foreach (var controller in _controllers)
            {
                try
                {
                    controller.Handle(change);
                }
                catch (ApiException exception)
                {
                    // The object was changed or deleted concurrently; that change is queued, too.
                    Log.ChangeIgnored(
                        _logger,
                        controller.GetType().Name,
                        change.Table.Resource,
                        change.Event.Object.Name,
                        exception.Message
                    );
                }
#pragma warning disable CA1031 // An error with one object must not stop the loop.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    Log.ChangeFailed(_logger, exception, controller.GetType().Name, change.Table.Resource, change.Event.Object.Name);
                }
            }
        }
    }
}

/// <summary>Reacts to changes of the store, as the controllers of kube-controller-manager do.</summary>
internal interface IClusterController
{
    void Handle(StoreChange change);
}
