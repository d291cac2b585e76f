using Microsoft.Extensions.Hosting;

namespace KubeLB.Sandbox.Composition;

/// <summary>Ends hosts.</summary>
internal static class Hosts
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>Stops a host and disposes of it.</summary>
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
