using k8s;
using KubeLB.Runtime.Controllers;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Hosting;

/// <summary>Registers the runtime, its clusters and its controllers in a host.</summary>
public static class KubeRuntimeServiceCollectionExtensions
{
    /// <summary>
    /// Adds the runtime: informers, controllers, leader election, probes and metrics start and stop with the host. Registers
    /// <see cref="Applying.Applier"/>, <see cref="LeaderElection.ILeadership"/>, <see cref="RuntimeEndpoints"/>, <see cref="RuntimeExit"/>
    /// and a <c>Prometheus.CollectorRegistry</c> of this host as singletons.
    /// </summary>
    public static IServiceCollection AddKubeRuntime(this IServiceCollection services, Action<KubeRuntimeOptions> configure) =>
        throw new NotImplementedException();

    /// <summary>Adds a cluster as a keyed singleton <see cref="Clusters.Cluster"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">Name of the cluster in this host.</param>
    /// <param name="connect">Makes the connection; must return a <see cref="Kubernetes"/>. The cluster disposes of it.</param>
    /// <param name="configure">Says which kinds are watched.</param>
    /// <exception cref="InvalidOperationException">A cluster of that name is registered already.</exception>
    public static IServiceCollection AddCluster(
        this IServiceCollection services, string name, Func<IServiceProvider, IKubernetes> connect, Action<ClusterBuilder> configure) =>
        throw new NotImplementedException();

    /// <summary>Watches further kinds in a cluster that <see cref="AddCluster"/> registers, before or after this call.</summary>
    public static IServiceCollection ConfigureCluster(this IServiceCollection services, string name, Action<ClusterBuilder> configure) =>
        throw new NotImplementedException();

    /// <summary>Adds a controller. <typeparamref name="TReconciler"/> is registered as a singleton unless it is registered already.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">Name of the controller in logs and metrics; unique in the host.</param>
    /// <param name="configure">Says what it watches.</param>
    public static IServiceCollection AddController<TReconciler>(
        this IServiceCollection services, string name, Action<ControllerBuilder> configure)
        where TReconciler : class, IReconciler => throw new NotImplementedException();
}
