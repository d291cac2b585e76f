using System.Collections.Concurrent;
using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters.External;

namespace KubeLB.TestClusters;

/// <summary>
/// Real API servers take seconds to start: after a test they are emptied and reused. They end with the test run.
/// </summary>
internal sealed class ClusterPool(Func<string, CancellationToken, Task<ServerAccess>> start)
{
    private readonly ConcurrentBag<(ServerAccess Access, ServerContents Contents)> _free = [];
    private readonly SemaphoreSlim _starting = new(1, 1);
    private TestClusterUnavailableException? _unavailable;

    /// <summary>An empty cluster for exclusive use.</summary>
    public async Task<ITestCluster> TakeAsync(ClusterRequest request, CancellationToken cancellationToken)
    {
        var (access, contents) = _free.TryTake(out var free)
            ? free
            : await StartAsync(request.Name, cancellationToken).ConfigureAwait(false);
        return new ExternalTestCluster(
            access,
            async () =>
            {
                await contents.RestoreAsync(access, CancellationToken.None).ConfigureAwait(false);
                _free.Add((access, contents));
            }
        );
    }

    // One at a time, and without a retry after a failure: every further test fails at once with the reason.
    private async Task<(ServerAccess Access, ServerContents Contents)> StartAsync(string name, CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_unavailable is not null)
            {
                throw new TestClusterUnavailableException(_unavailable.Message, _unavailable);
            }

            var access = await start(name, cancellationToken).ConfigureAwait(false);
            return (access, await ServerContents.CaptureAsync(access, cancellationToken).ConfigureAwait(false));
        }
        catch (TestClusterUnavailableException e)
        {
            _unavailable = e;
            throw;
        }
        finally
        {
            _starting.Release();
        }
    }
}
