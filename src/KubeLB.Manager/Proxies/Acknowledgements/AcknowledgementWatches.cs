using k8s.Models;
using KubeLB.Api;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Acknowledgements;

/// <summary>Informers, services and watches for the acknowledgements of new backends.</summary>
internal static class AcknowledgementWatches
{
    public static void AddServices(IServiceCollection services)
    {
        services.AddSingleton<OtherReplicas>().AddSingleton<ProxyAcknowledgements>();
        services.AddHostedService(host => host.GetRequiredService<ProxyAcknowledgements>());
    }

    public static void AddInformers(ClusterBuilder management) =>
        management.Informer<V1Pod>(pods =>
        {
            pods.LabelSelector = $"{Labels.AppManagedBy}={Labels.ManagedByKubelb}";
            pods.Index(Indexes.ByNamespace, Indexes.Namespace);

            // Only the status and the name are used.
            pods.Transform = pod =>
            {
                pod.Spec = null;
                pod.Metadata.Annotations = null;
                return pod;
            };
        });

    /// <summary>Enqueues a Route when its acknowledgement state changes.</summary>
    public static void WatchAcknowledgements(ControllerBuilder controller) =>
        controller
            .WaitFor<V1Pod>(ManagementCluster.Name)
            .WaitFor<V1EndpointSlice>(ManagementCluster.Name)
            .Source(
                (host, enqueue) =>
                {
                    var acknowledgements = host.GetRequiredService<ProxyAcknowledgements>();
                    acknowledgements.Changed += enqueue;
                    return new SourceSubscription(() => acknowledgements.Changed -= enqueue);
                }
            );
}
