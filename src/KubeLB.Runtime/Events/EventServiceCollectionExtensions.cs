using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Events;

/// <summary>Registers recorders of Events in a host.</summary>
public static class EventServiceCollectionExtensions
{
    /// <summary>Adds an <see cref="EventRecorder"/> for a cluster, as a keyed singleton of the cluster's name.</summary>
    /// <param name="services">The host's services, with the runtime.</param>
    /// <param name="cluster">Name of the cluster that the Events go to.</param>
    /// <param name="component">Who speaks: the Events' source.</param>
    public static IServiceCollection AddEventRecorder(this IServiceCollection services, string cluster, string component)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        ArgumentException.ThrowIfNullOrEmpty(component);
        services.AddKeyedSingleton(
            cluster,
            (provider, _) =>
                new EventRecorder(
                    provider.GetRequiredKeyedService<Cluster>(cluster),
                    component,
                    provider.GetRequiredService<ILeadership>(),
                    provider.GetRequiredService<Supervisor>(),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILoggerFactory>().CreateLogger("KubeLB.Runtime.Events")
                )
        );
        return services.AddSingleton<IHostedService>(provider => new EventSending(
            provider.GetRequiredKeyedService<EventRecorder>(cluster)
        ));
    }
}
