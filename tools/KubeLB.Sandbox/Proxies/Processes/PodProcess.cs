using System.Diagnostics;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>Environment of a pod's process.</summary>
/// <param name="Program">Envoy.</param>
/// <param name="Networks">Networks of pods.</param>
/// <param name="Children">Starts processes.</param>
/// <param name="ControlPlane">The manager's Service.</param>
/// <param name="Logger">The logger.</param>
internal sealed record PodEnvironment(
    EnvoyProgram Program,
    IPodNetworks Networks,
    ChildProcesses Children,
    ProxyControlPlane ControlPlane,
    ILogger Logger
);

/// <summary>
/// The pod of a proxy and its process: starts it when the Secret exists, probes it, restarts it when it exits, and terminates it like the
/// kubelet (preStop, SIGTERM, SIGKILL). https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
/// </summary>
internal sealed class PodProcess : IAsyncDisposable
{
    private static readonly TimeSpan MinGracePeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxRestartDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BackOffReset = TimeSpan.FromSeconds(60);

    private readonly V1Pod _pod;
    private readonly PodEnvironment _environment;
    private readonly IPodApi _api;
    private readonly V1Container _container;
    private readonly int? _user;
    private readonly SecretVolume? _volume;
    private readonly CancellationTokenSource _kill = new();
    private readonly TaskCompletionSource<V1Secret> _mounted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<TimeSpan> _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly SemaphoreSlim _mounting = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Task _running;
    private PodState _state = new();

    /// <summary>Starts a pod.</summary>
    public PodProcess(V1Pod pod, PodEnvironment environment, IPodApi api)
    {
        (_pod, _environment, _api, _container) = (pod, environment, api, pod.Spec.Containers[0]);
        _user =
            ChildProcesses.CanDropPrivileges
            && ChildProcesses.IsAccessibleToAll(environment.Program.Path)
            && ChildProcesses.IsAccessibleToAll(Path.GetTempPath())
                ? (int?)pod.Spec.SecurityContext?.RunAsUser
                : null;
        _volume = ProxyCommand.SecretOf(pod.Spec) is null ? null : new SecretVolume(_user);
        _running = Task.Run(RunAsync);
    }

    /// <summary>UID of the pod.</summary>
    public string Uid => _pod.Uid();

    /// <summary>The current state of the pod.</summary>
    public PodState State => _state;

    /// <summary>Log of the current or last container instance.</summary>
    public ContainerLog CurrentLog { get; private set; } = new();

    /// <summary>Log of the previous container instance; null if there is none.</summary>
    public ContainerLog? PreviousLog { get; private set; }

    /// <summary>Mounts the pod's Secret, and updates it when it changes.</summary>
    public async Task MountAsync(V1Secret secret, CancellationToken cancellationToken)
    {
        await _mounting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_volume is not null && !_running.IsCompleted)
            {
                await _volume.WriteAsync(secret, cancellationToken).ConfigureAwait(false);
                _environment.ControlPlane.Mount(_state.Address, secret);
                _mounted.TrySetResult(secret);
            }
        }
        finally
        {
            _mounting.Release();
        }
    }

    /// <summary>Starts graceful termination with a grace period. Returns immediately; further calls are ignored.</summary>
    public void End(TimeSpan grace) => _ending.TrySetResult(grace);

    /// <summary>Kills the process and releases all resources.</summary>
    public async ValueTask DisposeAsync()
    {
        await _kill.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var reporting = ReportAsync();
        IPodNetwork? network = null;
        try
        {
            network = await CreateNetworkAsync().ConfigureAwait(false);
            if (network is not null)
            {
                await RunContainerAsync(network).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_kill.IsCancellationRequested) { }
        catch (Exception e)
        {
            Log.PodFailed(_environment.Logger, e, _pod.Name());
        }

        CurrentLog.Close();
        _changes.Writer.TryComplete();
        await reporting.ConfigureAwait(false);
        if (network is not null)
        {
            _environment.ControlPlane.Forget(network.Address);
            await network.DisposeAsync().ConfigureAwait(false);
        }

        await _mounting.WaitAsync().ConfigureAwait(false);
        _volume?.Dispose();
        _mounting.Release();
        if (_ending.Task.IsCompleted && !_kill.IsCancellationRequested)
        {
            await TryAsync(() => _api.ConfirmEndAsync(_pod, _kill.Token)).ConfigureAwait(false);
        }
    }

    private async Task<IPodNetwork?> CreateNetworkAsync()
    {
        while (!_ending.Task.IsCompleted)
        {
            try
            {
                var network = await _environment.Networks.CreateAsync(_pod, _kill.Token).ConfigureAwait(false);
                Change(s => s with { Address = network.Address });
                return network;
            }
            catch (IOException e)
            {
                Change(s => s with { Message = e.Message });
                await Task.WhenAny(_ending.Task, Task.Delay(Pause, _kill.Token)).ConfigureAwait(false);
            }
        }

        return null;
    }

    private async Task RunContainerAsync(IPodNetwork network)
    {
        if (_volume is not null)
        {
            await Task.WhenAny(_mounted.Task, _ending.Task).WaitAsync(_kill.Token).ConfigureAwait(false);
            if (_mounted.Task.IsCompletedSuccessfully)
            {
                _environment.ControlPlane.Mount(network.Address, await _mounted.Task.ConfigureAwait(false));
            }
        }

        for (var failures = 0; !_ending.Task.IsCompleted; failures++)
        {
            var since = Stopwatch.GetTimestamp();
            await RunOnceAsync(network).ConfigureAwait(false);
            failures = Stopwatch.GetElapsedTime(since) > BackOffReset ? 0 : failures;
            if (_ending.Task.IsCompleted)
            {
                return;
            }

            // The first restart is immediate, as in the kubelet; later ones have a back-off that is shorter than the kubelet's.
            var pause = TimeSpan.FromTicks(Math.Min(Pause.Ticks * failures, MaxRestartDelay.Ticks));
            Change(s => s with { WaitingFor = failures == 0 ? "ContainerCreating" : "CrashLoopBackOff", Restarts = s.Restarts + 1 });
            await Task.WhenAny(_ending.Task, Task.Delay(pause, _kill.Token)).ConfigureAwait(false);
            _kill.Token.ThrowIfCancellationRequested();
            (PreviousLog, CurrentLog) = (CurrentLog, new ContainerLog());
        }
    }

    private async Task RunOnceAsync(IPodNetwork network)
    {
        var log = CurrentLog;
        Process process;
        try
        {
            var isolated = _environment.Networks.AreIsolated;
            var arguments = ProxyCommand.Arguments(
                _pod.Name(),
                _container,
                _volume?.Path,
                _environment.ControlPlane.Address,
                isolated ? null : network.Address
            );
            process = await _environment
                .Children.StartAsync([_environment.Program.Path, .. arguments], _user, network.Within, log.Add)
                .ConfigureAwait(false);
        }
        catch (IOException e)
        {
            Change(s => s with { Message = e.Message });
            return;
        }

        using (process)
        {
            var started = DateTime.UtcNow;
            Log.ProcessStarted(_environment.Logger, _pod.Name(), process.Id, network.Address);
            Change(s => s with { RunningSince = started, ProcessId = process.Id, Message = null });
            using var probing = CancellationTokenSource.CreateLinkedTokenSource(_kill.Token);
            var probes = new ContainerProbes(_container, network.Address).RunAsync(
                () => Change(s => s with { IsStarted = true }),
                ready => Change(s => s with { IsReady = ready }),
                probing.Token
            );
            var exit = process.WaitForExitAsync(CancellationToken.None);
            try
            {
                var first = await Task.WhenAny(exit, probes, _ending.Task).WaitAsync(_kill.Token).ConfigureAwait(false);
                if (first != exit)
                {
                    var grace =
                        first == probes
                            ? TimeSpan.FromSeconds(_pod.Spec.TerminationGracePeriodSeconds ?? 30)
                            : await _ending.Task.ConfigureAwait(false);
                    await EndAsync(process, exit, network, grace).ConfigureAwait(false);
                }
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }

                await exit.ConfigureAwait(false);
                await probing.CancelAsync().ConfigureAwait(false);
                await ((Task)probes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                log.Close();
                Log.ProcessExited(_environment.Logger, _pod.Name(), process.ExitCode);
                Change(s =>
                    s with
                    {
                        RunningSince = null,
                        ProcessId = null,
                        IsStarted = false,
                        IsReady = false,
                        Last = Ended(process.ExitCode, started),
                    }
                );
            }
        }
    }

    private async Task EndAsync(Process process, Task exit, IPodNetwork network, TimeSpan grace)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_kill.Token);
        over.CancelAfter(grace);
        if (ProxyCommand.PreStop(_container, network.Loopback) is { } command)
        {
            try
            {
                using var hook = await _environment
                    .Children.StartAsync(command, _user, network.Within, CurrentLog.Add)
                    .ConfigureAwait(false);
                var ended = hook.WaitForExitAsync(over.Token);
                await Task.WhenAny(ended, exit).ConfigureAwait(false);
                if (!hook.HasExited)
                {
                    hook.Kill(entireProcessTree: true);
                }
                else
                {
                    Log.PreStopHookExited(_environment.Logger, _pod.Name(), hook.ExitCode);
                }

                await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (IOException e)
            {
                Log.PreStopHookFailed(_environment.Logger, _pod.Name(), e.Message);
            }
        }

        Signals.Terminate(process);
        try
        {
            var shortest = Task.Delay(MinGracePeriod, _kill.Token);
            await Task.WhenAny(exit, Task.WhenAll(shortest, Task.Delay(Timeout.Infinite, over.Token))).ConfigureAwait(false);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static V1ContainerStateTerminated Ended(int code, DateTime started) =>
        new()
        {
            ExitCode = code,
            Reason = code == 0 ? "Completed" : "Error",
            StartedAt = started,
            FinishedAt = DateTime.UtcNow,
        };

    private void Change(Func<PodState, PodState> change)
    {
        lock (_gate)
        {
            _state = change(_state);
        }

        _changes.Writer.TryWrite(true);
    }

    private async Task ReportAsync()
    {
        _changes.Writer.TryWrite(true);
        await foreach (var _ in _changes.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (!await TryAsync(() => _api.WriteStatusAsync(_pod, _state, _kill.Token)).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    // The API server may be temporarily unavailable.
    private async Task<bool> TryAsync(Func<Task> action)
    {
        while (!_kill.IsCancellationRequested)
        {
            try
            {
                await action().ConfigureAwait(false);
                return true;
            }
            catch (Exception e) when (!_kill.IsCancellationRequested)
            {
                Log.PodStatusFailed(_environment.Logger, _pod.Name(), e.Message);
                await Task.Delay(Pause, _kill.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                return false;
            }
        }

        return false;
    }
}
