using System.Net;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// HTTP probes of a container, as run by the kubelet: first the startup probe; after its success readiness and liveness probes, immediately
/// and then periodically. https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
/// </summary>
internal sealed class ContainerProbes(V1Container container, IPAddress address)
{
    private static readonly HttpMessageInvoker Client = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            PooledConnectionLifetime = TimeSpan.Zero,
        }
    );

    /// <summary>Runs the probes until cancelled.</summary>
    /// <param name="started">Called when the startup probe succeeds.</param>
    /// <param name="ready">Called when readiness changes.</param>
    /// <param name="cancellationToken">Cancelled when the container ends.</param>
    /// <returns>Why the container must be restarted. Does not return otherwise.</returns>
    public async Task<string> RunAsync(Action started, Action<bool> ready, CancellationToken cancellationToken)
    {
        if (container.StartupProbe is { } startup && !await SucceedsAsync(startup, cancellationToken).ConfigureAwait(false))
        {
            return "startup probe failed";
        }

        started();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readiness = ReportAsync(container.ReadinessProbe, ready, stop.Token);
        try
        {
            if (container.LivenessProbe is { } liveness)
            {
                await FailsAsync(liveness, stop.Token).ConfigureAwait(false);
                return "liveness probe failed";
            }

            await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(false);
            return "";
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await readiness.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> SucceedsAsync(V1Probe probe, CancellationToken cancellationToken)
    {
        for (var failures = 0; failures < (probe.FailureThreshold ?? 3); failures++)
        {
            if (await TryAsync(probe, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            await PauseAsync(probe, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    private async Task FailsAsync(V1Probe probe, CancellationToken cancellationToken)
    {
        for (var failures = 0; ; )
        {
            failures = await TryAsync(probe, cancellationToken).ConfigureAwait(false) ? 0 : failures + 1;
            if (failures >= (probe.FailureThreshold ?? 3))
            {
                return;
            }

            await PauseAsync(probe, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReportAsync(V1Probe? probe, Action<bool> ready, CancellationToken cancellationToken)
    {
        if (probe is null)
        {
            ready(true);
            return;
        }

        var (isReady, same) = (false, 0);
        while (true)
        {
            // The state changes after this number of consecutive different results.
            same = await TryAsync(probe, cancellationToken).ConfigureAwait(false) == isReady ? 0 : same + 1;
            if (same >= (isReady ? probe.FailureThreshold ?? 3 : probe.SuccessThreshold ?? 1))
            {
                (isReady, same) = (!isReady, 0);
                ready(isReady);
            }

            await PauseAsync(probe, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryAsync(V1Probe probe, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(probe.TimeoutSeconds ?? 1));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}:{probe.HttpGet.Port.Value}{probe.HttpGet.Path}");
            request.Headers.UserAgent.ParseAdd("kube-probe/1.35");
            using var response = await Client.SendAsync(request, timeout.Token).ConfigureAwait(false);
            return (int)response.StatusCode is >= 200 and < 400;
        }
        catch (Exception e)
            when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private static Task PauseAsync(V1Probe probe, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromSeconds(probe.PeriodSeconds ?? 10), cancellationToken);
}
