using k8s;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Watching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Prometheus;

namespace KubeLB.Runtime.Hosting;

/// <summary>Registers the runtime, its clusters and its controllers in a host.</summary>
public static class KubeRuntimeServiceCollectionExtensions
{
    /// <summary>
    /// Adds the runtime: informers, controllers, leader election, probes and metrics start and stop with the host. Registers
    /// <see cref="Applier"/>, <see cref="ILeadership"/>, <see cref="RuntimeEndpoints"/> and a <see cref="CollectorRegistry"/> of this host
    /// as singletons. Invalid settings fail the start with one message for all errors.
    /// </summary>
    public static IServiceCollection AddKubeRuntime(this IServiceCollection services, Action<KubeRuntimeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddLogging();
        services.AddOptions<KubeRuntimeOptions>().Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KubeRuntimeOptions>, KubeRuntimeOptionsValidator>());
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<KubeRuntimeOptions>>().Value);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => Prometheus.Metrics.NewCustomRegistry());
        services.TryAddSingleton<RuntimeMetrics>();
        services.TryAddSingleton<ManagedObjects>();
        services.TryAddSingleton<ReflectorSettings>();
        services.TryAddSingleton<RuntimeEndpoints>();
        services.TryAddSingleton<RuntimeExit>();
        services.TryAddSingleton<Supervisor>();
        services.TryAddSingleton<Leadership>();
        services.TryAddSingleton(provider => new WriteFence(
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<KubeRuntimeOptions>().LeaderElection?.RenewDeadline
        ));
        services.TryAddSingleton<ILeadership>(provider => provider.GetRequiredService<Leadership>());
        services.TryAddSingleton(provider => new Applier(provider.GetRequiredService<KubeRuntimeOptions>()));
        services.TryAddSingleton<RegisteredClusters>();
        services.TryAddSingleton(provider => new ReadinessReport(
            provider.GetRequiredService<KubeRuntimeOptions>(),
            provider.GetRequiredService<RegisteredClusters>().All,
            provider.GetServices<IReadinessCheck>()
        ));
        services.TryAddSingleton<DebugPages>();
        services.TryAddSingleton<ProbeServer>();
        services.AddHostedService<RuntimeHostedService>();
        return services;
    }

    /// <summary>Adds a cluster as a keyed singleton <see cref="Cluster"/>.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">Name of the cluster in this host.</param>
    /// <param name="connect">Creates the connection; must return a <see cref="Kubernetes"/>, which the cluster disposes.</param>
    /// <param name="configure">Configures the informers.</param>
    /// <exception cref="InvalidOperationException">The name is already in use.</exception>
    public static IServiceCollection AddCluster(
        this IServiceCollection services,
        string name,
        Func<IServiceProvider, IKubernetes> connect,
        Action<ClusterBuilder> configure
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(connect);
        if (services.Any(service => service.ImplementationInstance is ClusterRegistration known && known.Name == name))
        {
            throw new InvalidOperationException($"Cluster \"{name}\" is already registered; use ConfigureCluster to add informers.");
        }

        services.AddSingleton(new ClusterRegistration(name, connect));
        services.AddKeyedSingleton(name, (provider, _) => Build(provider, name, connect));
        return services.ConfigureCluster(name, configure);
    }

    /// <summary>Adds informers to a cluster that <see cref="AddCluster"/> registers, before or after this call.</summary>
    public static IServiceCollection ConfigureCluster(this IServiceCollection services, string name, Action<ClusterBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddSingleton(new ClusterConfiguration(name, configure));
    }

    /// <summary>
    /// Adds a controller. <typeparamref name="TReconciler"/> is registered as a singleton if it is not registered.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">Name of the controller in logs and metrics; unique in the host.</param>
    /// <param name="configure">Configures the watches.</param>
    public static IServiceCollection AddController<TReconciler>(
        this IServiceCollection services,
        string name,
        Action<ControllerBuilder> configure
    )
        where TReconciler : class, IReconciler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configure);
        var settings = new ControllerBuilder();
        configure(settings);
        services.TryAddSingleton<TReconciler>();
        return services.AddSingleton(new ControllerRegistration(name, typeof(TReconciler), settings));
    }

    private static Cluster Build(IServiceProvider provider, string name, Func<IServiceProvider, IKubernetes> connect)
    {
        var watched = new ClusterBuilder();
        foreach (var configuration in provider.GetServices<ClusterConfiguration>().Where(c => c.Name == name))
        {
            configuration.Configure(watched);
        }

        return new Cluster(
            name,
            connect(provider),
            watched,
            provider.GetRequiredService<KubeRuntimeOptions>().FieldManager,
            provider.GetRequiredService<ReflectorSettings>(),
            provider.GetRequiredService<RuntimeMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<WriteFence>(),
            provider.GetRequiredService<Supervisor>(),
            provider.GetRequiredService<ILoggerFactory>()
        );
    }
}
