using Microsoft.Extensions.Hosting;

namespace KubeLB.Runtime.Events;

/// <summary>Lets a recorder send while the host runs.</summary>
internal sealed class EventSending(EventRecorder recorder) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        recorder.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => recorder.StopAsync(cancellationToken);
}
