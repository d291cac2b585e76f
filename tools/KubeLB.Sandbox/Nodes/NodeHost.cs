using k8s;
using k8s.Models;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// The simulated parts of a cluster: a node, and the controllers that create pods for Deployments, and endpoints and node ports for
/// Services.
/// </summary>
internal static class NodeHost
{
    /// <summary>Name of the cluster within the host.</summary>
    public const string Cluster = "cluster";

    /// <summary>Index of pods and ReplicaSets by the UID of their controller.</summary>
    public const string ByOwner = "owner";

    /// <summary>Index of pods and Services by namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Index of EndpointSlices by <c>namespace/name</c> of their Service.</summary>
    public const string ByService = "service";

    // Only Secrets that proxies mount.
    private const string ProxySecret = "envoy-xds-client";

    /// <summary>Builds the host.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="node">The node.</param>
    /// <param name="addresses">Allocates the addresses of pods.</param>
    /// <param name="backends">Serves the ports of pods; null for pods without a server.</param>
    /// <param name="processes">Runs the pods of proxies as processes; null with stand-ins.</param>
    /// <param name="logging">Adds log providers.</param>
    public static IHost Build(
        ISandboxCluster cluster,
        SimulatedNode node,
        LoopbackAddresses addresses,
        EchoBackends? backends,
        ProxyProcesses? processes,
        Action<ILoggingBuilder> logging
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        services.AddSingleton(node).AddSingleton(addresses).AddSingleton(new PodPorts(backends));
        services.AddSingleton(new PodAddresses(cluster.AcceptsLoopbackEndpoints));
        services.AddSingleton<PodApi>();
        services.AddKubeRuntime(o =>
        {
            o.Component = "sandbox_node";
            o.FieldManager = "sandbox";
        });
        services.AddCluster(
            Cluster,
            _ => cluster.CreateClient("sandbox-node"),
            c =>
            {
                c.Informer<V1Deployment>();
                c.Informer<V1DaemonSet>();
                c.Informer<V1ReplicaSet>(i => i.Index(ByOwner, OwnerUids).Index(ByNamespace, Namespace));
                c.Informer<V1Pod>(i => i.Index(ByOwner, OwnerUids).Index(ByNamespace, Namespace));
                c.Informer<V1Service>(i => i.Index(ByNamespace, Namespace));
                c.Informer<V1Endpoints>();
                c.Informer<V1EndpointSlice>(i => i.Index(ByService, EndpointSelection.ServiceOf));
                if (processes is not null)
                {
                    c.Informer<V1Secret>(i => i.FieldSelector = $"metadata.name={ProxySecret}");
                }
            }
        );
        services.AddHostedService<NodeRegistrar>();
        AddWorkloads(services);
        AddServices(services);
        if (processes is not null)
        {
            AddProcesses(services, processes);
        }

        return builder.Build();
    }

    private static void AddWorkloads(IServiceCollection services)
    {
        services.AddController<DeploymentController>(
            "deployment",
            c =>
            {
                c.Watch<V1Deployment>(Cluster);
                c.Watch<V1ReplicaSet>(Cluster, _ => (V1ReplicaSet rs) => Owners(rs, V1Deployment.KubeKind));
            }
        );
        services.AddController<ReplicaSetController>(
            "replicaset",
            c =>
            {
                c.Watch<V1ReplicaSet>(Cluster);
                c.Watch<V1Pod>(Cluster, _ => (V1Pod pod) => Owners(pod, V1ReplicaSet.KubeKind));
            }
        );
        services.AddController<DaemonSetController>(
            "daemonset",
            c =>
            {
                c.Watch<V1DaemonSet>(Cluster);
                c.Watch<V1Pod>(Cluster, _ => (V1Pod pod) => Owners(pod, V1DaemonSet.KubeKind));
            }
        );
        services.AddController<PodController>(
            "pod",
            c =>
            {
                c.Workers = 4;
                c.Watch<V1Pod>(Cluster);
                c.Watch<V1Service>(
                    Cluster,
                    host =>
                    {
                        var pods = Informer<V1Pod>(host);
                        return (V1Service service) =>
                            pods()
                                .ByIndex(ByNamespace, service.Namespace())
                                .Where(pod => EndpointSelection.Selects(service, pod))
                                .Select(ResourceKey.Of);
                    }
                );
            }
        );
    }

    private static void AddProcesses(IServiceCollection services, ProxyProcesses processes)
    {
        services.AddSingleton(processes);
        services.AddController<ProcessPodController>(
            "process",
            c =>
            {
                c.Workers = 4;
                c.Watch<V1Pod>(Cluster);
                c.Watch<V1Secret>(
                    Cluster,
                    host =>
                    {
                        var pods = Informer<V1Pod>(host);
                        return (V1Secret secret) => pods().ByIndex(ByNamespace, secret.Namespace()).Select(ResourceKey.Of);
                    }
                );
            }
        );
    }

    private static void AddServices(IServiceCollection services)
    {
        services.AddController<EndpointsController>(
            "endpoints",
            c =>
            {
                c.Watch<V1Service>(Cluster);
                c.Watch<V1Pod>(
                    Cluster,
                    host =>
                    {
                        var all = Informer<V1Service>(host);
                        return (V1Pod pod) =>
                            all()
                                .ByIndex(ByNamespace, pod.Namespace())
                                .Where(service => EndpointSelection.Selects(service, pod))
                                .Select(ResourceKey.Of);
                    }
                );
            }
        );
        services.AddSingleton<NodePortController>();
        services.AddController<NodePortController>(
            "nodeport",
            c =>
            {
                c.Watch<V1Service>(Cluster);
                c.Watch<V1EndpointSlice>(Cluster, _ => (V1EndpointSlice slice) => EndpointSelection.ServiceKeyOf(slice));
            }
        );
    }

    private static Func<IInformer<T>> Informer<T>(IServiceProvider host)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var cluster = host.GetRequiredKeyedService<Runtime.Clusters.Cluster>(Cluster);
        return cluster.Informer<T>;
    }

    private static IEnumerable<string> Namespace(IKubernetesObject<V1ObjectMeta> obj) => [obj.Metadata.NamespaceProperty ?? ""];

    private static IEnumerable<string> OwnerUids(IKubernetesObject<V1ObjectMeta> obj) =>
        obj.Metadata.OwnerReferences?.Where(o => o.Controller == true).Select(o => o.Uid) ?? [];

    private static IEnumerable<ResourceKey> Owners(IKubernetesObject<V1ObjectMeta> obj, string kind) =>
        obj.Metadata.OwnerReferences?.Where(o => o.Controller == true && o.Kind == kind)
            .Select(o => new ResourceKey(obj.Metadata.NamespaceProperty, o.Name))
        ?? [];
}
