using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Prometheus;

namespace KubeLB.Runtime.Metrics;

/// <summary>
/// Counts, whenever metrics are collected, the cached objects that bear our mark: those we wrote, and those we hold by a finalizer.
/// </summary>
internal sealed class ManagedObjects(KubeRuntimeOptions options, RuntimeMetrics metrics)
{
    public void Attach(CollectorRegistry registry, IReadOnlyList<Cluster> clusters) =>
        registry.AddBeforeCollectCallback(() => Count(clusters));

    private void Count(IReadOnlyList<Cluster> clusters)
    {
        foreach (var cluster in clusters)
        {
            foreach (var informer in cluster.Informers)
            {
                metrics.Managed(cluster.Name, informer.Kind.FullName, informer.CountOf(IsManaged));
            }
        }
    }

    private bool IsManaged(k8s.Models.V1ObjectMeta metadata) =>
        metadata.Annotations?.ContainsKey(options.ApplierAnnotation) == true
        || (options.Finalizer.Length > 0 && metadata.Finalizers?.Contains(options.Finalizer) == true);
}
