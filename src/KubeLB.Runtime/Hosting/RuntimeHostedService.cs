using System.Net;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.Runtime.Hosting;

/// <summary>
/// Starts and stops the runtime in order. Start: listeners, subscriptions of controllers, informers, leader election. Stop: controllers
/// (running reconciles may finish), lease, informers, listeners; so the lease is held until the last write.
/// </summary>
internal sealed class RuntimeHostedService(
    KubeRuntimeOptions options,
    RegisteredClusters clusters,
    IEnumerable<ControllerRegistration> registrations,
    Leadership leadership,
    WriteFence fence,
    ProbeServer probes,
    RuntimeEndpoints endpoints,
    Supervisor supervisor,
    RuntimeMetrics metrics,
    ManagedObjects managed,
    CollectorRegistry registry,
    TimeProvider time,
    IServiceProvider services,
    ILoggerFactory loggers
) : IHostedService, IAsyncDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("KubeLB.Runtime.Hosting");
    private readonly List<ControllerRunner> _runners = [];
    private LeaderElector? _election;
    private bool _stopped;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Build is { } build)
        {
            Log.Starting(_logger, build);
        }

        var controllers = registrations.ToList();
        RegistrationValidator.ThrowIfInvalid(options, clusters, controllers);
        managed.Attach(registry, clusters.All);
        await probes.StartAsync(cancellationToken).ConfigureAwait(false);
        Log.Listening(_logger, endpoints.Probe?.ToString() ?? "none", endpoints.Metrics?.ToString() ?? "none");
        _runners.AddRange(controllers.Select(CreateRunner));
        _runners.ForEach(runner => runner.Start());
        foreach (var cluster in clusters.All)
        {
            cluster.Start();
        }

        if (options.LeaderElection is { } election)
        {
            _election = new LeaderElector(
                clusters.Find(election.Cluster)!,
                election,
                leadership,
                fence,
                supervisor,
                time,
                loggers.CreateLogger("KubeLB.Runtime.LeaderElection")
            );
            _election.Start();
        }
        else
        {
            leadership.Begin();
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        Log.Stopping(_logger);
        using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            deadline.CancelAfter(options.StopTimeout);
            await Task.WhenAll(_runners.Select(runner => runner.StopAsync(deadline.Token))).ConfigureAwait(false);
        }

        if (_election is not null)
        {
            await _election.StopAsync().ConfigureAwait(false);
        }

        leadership.End();
        await Task.WhenAll(clusters.All.Select(cluster => cluster.StopAsync())).ConfigureAwait(false);
        await probes.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _election?.Dispose();
        _runners.ForEach(runner => runner.Dispose());
    }

    private ControllerRunner CreateRunner(ControllerRegistration registration)
    {
        var logger = loggers.CreateLogger($"KubeLB.Runtime.Controllers.{registration.Name}");
        var settings = registration.Settings;
        var controller = new Controller(
            registration.Name,
            settings.Workers,
            (IReconciler)services.GetRequiredService(registration.Reconciler),
            settings.Queue,
            metrics,
            time,
            logger,
            services.GetService<ChangeTracer>()
        );
        return new ControllerRunner(
            controller,
            [
                .. settings.RequiredKinds.Select<(string Cluster, ResourceKind Kind), Func<CancellationToken, Task>>(required =>
                    clusters.Find(required.Cluster)!.FindInformer(required.Kind)! is var informer && settings.OwnKinds.Contains(required)
                        ? informer.WaitForSyncAsync
                        : informer.WaitUntilUsableAsync
                ),
            ],
            [
                .. settings.Watches.Select<WatchRegistration, Func<IDisposable>>(watch =>
                    () => watch.Connect(clusters.Find(watch.Cluster)!, services, controller.Queue.Add)
                ),
                .. settings.Sources.Select<Func<IServiceProvider, Action<ResourceKey>, IDisposable>, Func<IDisposable>>(source =>
                    () => source(services, controller.Queue.Add)
                ),
            ],
            () => settings.OwnKinds.SelectMany(own => clusters.Find(own.Cluster)!.FindInformer(own.Kind)!.Keys()),
            settings.NeedsLeaderElection ? settings.Leadership?.Invoke(services) ?? leadership : null,
            supervisor,
            time,
            logger
        );
    }
}

/// <summary>The addresses of the probes and metrics of this host. Set while the host starts.</summary>
public sealed class RuntimeEndpoints
{
    /// <summary>Bound address of <c>/healthz</c> and <c>/readyz</c>; null if disabled or not started yet.</summary>
    public IPEndPoint? Probe { get; internal set; }

    /// <summary>Bound address of <c>/metrics</c>; null if disabled or not started yet.</summary>
    public IPEndPoint? Metrics { get; internal set; }
}
