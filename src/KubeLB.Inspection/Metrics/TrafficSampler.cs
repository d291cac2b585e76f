using System.Net;
using k8s.Autorest;
using KubeLB.Api.Naming;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Overview;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;

namespace KubeLB.Inspection.Metrics;

/// <summary>Reads the metrics of proxy pods through the API server of the management cluster.</summary>
/// <param name="management">The management cluster.</param>
/// <param name="time">The clock.</param>
internal sealed class TrafficSampler(Cluster management, TimeProvider time) : IDisposable
{
    /// <summary>Maximum number of pods that are read at the same time.</summary>
    public const int MaxParallel = 8;

    // A response of the tenant with the most ports is about half of it; a pod under attack must not fill the memory.
    private const long MaxBytes = 32 * 1024 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _slots = new(MaxParallel, MaxParallel);

    /// <inheritdoc />
    public void Dispose() => _slots.Dispose();

    /// <summary>Reads all proxies of a tenant.</summary>
    /// <param name="proxies">The proxies.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public async Task<TrafficSample> SampleAsync(TenantProxies proxies, CancellationToken cancellationToken)
    {
        var read = await Task.WhenAll(proxies.Pods.Select(p => ReadAsync(p.Name, p.Uid, cancellationToken))).ConfigureAwait(false);
        var problems = read.Select(r => r.Problem).OfType<StatusProblem>().ToList();
        if (proxies.Pods.Count == 0 && proxies.Ports.Count > 0)
        {
            problems.Add(
                new StatusProblem(
                    "NoProxyReady",
                    proxies.OtherPods > 0
                        ? $"None of {proxies.OtherPods} proxy pods is ready: kubectl -n {TenantNames.Namespace(proxies.Tenant)} get pods."
                        : $"There are no proxy pods. See kubectl describe tenant {proxies.Tenant}."
                )
            );
        }

        return new TrafficSample(proxies, [.. read.Select(r => r.Pod).OfType<PodSample>()], problems);
    }

    private async Task<(PodSample? Pod, StatusProblem? Problem)> ReadAsync(ResourceKey pod, string uid, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            var at = time.GetTimestamp();
            var body = await management
                .GetFromPodAsync(pod, ProxyPorts.Stats, ProxyPorts.StatsPath + ProxyCounters.Query, MaxBytes, limit.Token)
                .ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                using var text = new StreamReader(body);
                return await ProxyCounters.ReadAsync(text, limit.Token).ConfigureAwait(false) is { } counters
                    ? (new PodSample(uid, at, counters), null)
                    : (null, new StatusProblem("NoMetrics", $"Port {ProxyPorts.Stats} of pod {pod} has no metrics of Envoy."));
            }
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
        {
            return (
                null,
                new StatusProblem(
                    "Forbidden",
                    $"No permission to get pods/proxy in the {ClusterConnections.ManagementCluster}. Grant your user the verb get on the "
                        + "resource pods/proxy of the API group \"\"."
                )
            );
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return (null, new StatusProblem("NoMetrics", $"Pod {pod} does not exist, or has no {ProxyPorts.StatsPath}."));
        }
        catch (HttpOperationException e)
        {
            return (null, Unreachable(pod, ApiStatus.MessageOf(e.Response?.Content)));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, Unreachable(pod, $"no response within {(int)Timeout.TotalSeconds} s"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (null, Unreachable(pod, e.GetBaseException().Message));
        }
        finally
        {
            _slots.Release();
        }
    }

    private static StatusProblem Unreachable(ResourceKey pod, string error) =>
        new("ProxyUnreachable", $"The metrics of pod {pod} cannot be read: {error.ReplaceLineEndings(" ").TrimEnd('.')}.");
}

/// <summary>The counters of a tenant's proxies.</summary>
/// <param name="Proxies">The proxies.</param>
/// <param name="Pods">The pods that could be read.</param>
/// <param name="Problems">Why the others could not be read.</param>
internal sealed record TrafficSample(TenantProxies Proxies, IReadOnlyList<PodSample> Pods, IReadOnlyList<StatusProblem> Problems);

/// <summary>The counters of one proxy pod.</summary>
/// <param name="Uid">UID of the pod.</param>
/// <param name="At">When they were requested, a timestamp of the clock.</param>
/// <param name="Counters">The counters.</param>
internal sealed record PodSample(string Uid, long At, ProxyCounters Counters);
