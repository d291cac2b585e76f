using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies.Xds;

/// <summary>
/// Does what a kubelet does for the proxies' pods: finds in the management cluster's Deployments and DaemonSets for which node ids there
/// are some, and mounts each tenant's Secret with its client certificate and the authorities to trust, again whenever it changes.
/// </summary>
internal sealed class ProxyPods(ISandboxCluster management)
{
    private const string Cluster = "management";
    private const string Secret = "envoy-xds-client";
    private const string NodeArgument = "--service-node";
    private const string ProxiesOfTenants = "app.kubernetes.io/managed-by=kubelb";
    private const string ProxyWorkloads = "app.kubernetes.io/name=kubelb-envoy-proxy";

    private readonly ConcurrentDictionary<string, ProxyCredential> _credentials = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Kind, ResourceKey Workload), string> _running = new();
    private readonly ConcurrentDictionary<ResourceKey, bool> _pods = new();
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Builds the host that follows the workloads and the Secrets.</summary>
    public IHost BuildHost(Action<ILoggingBuilder> logging)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        services.AddKubeRuntime(o => o.Component = "sandbox_proxies");
        services.AddCluster(
            Cluster,
            _ => management.CreateClient("kubelb-sandbox"),
            c =>
            {
                c.Informer<V1Secret>(secrets => secrets.FieldSelector = $"metadata.name={Secret}");
                c.Informer<V1Deployment>(deployments => deployments.LabelSelector = ProxyWorkloads);
                c.Informer<V1DaemonSet>(sets => sets.LabelSelector = ProxyWorkloads);
                c.Informer<V1Pod>(pods => pods.LabelSelector = ProxiesOfTenants);
            }
        );
        services.AddSingleton(this);
        services.AddController<Mounts>("credentials", c => c.Watch<V1Secret>(Cluster));
        services.AddController<Runs<V1Deployment>>("deployments", c => c.Watch<V1Deployment>(Cluster));
        services.AddController<Runs<V1DaemonSet>>("daemonsets", c => c.Watch<V1DaemonSet>(Cluster));
        services.AddController<Lists>("pods", c => c.Watch<V1Pod>(Cluster));
        return builder.Build();
    }

    /// <summary>The node's credential now; null if it has none.</summary>
    public ProxyCredential? CredentialOf(string node) => _credentials.GetValueOrDefault(node);

    /// <summary>Node ids that have a pod and a credential, now and at each change.</summary>
    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed);
            yield return [.. _running.Values.Distinct(StringComparer.Ordinal).Where(_credentials.ContainsKey)];
            await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The pods of all tenants' proxies whose node id has a credential, now and at each change.</summary>
    public async IAsyncEnumerable<IReadOnlyCollection<ResourceKey>> WatchPodsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed);
            yield return [.. _pods.Keys.Where(pod => _credentials.ContainsKey(pod.Namespace))];
            await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Mount(string node, V1Secret secret)
    {
        if (ProxyCredential.Of(secret) is { } credential)
        {
            _credentials[node] = credential;
            Tell();
        }
    }

    private void Run(string kind, ResourceKey workload, V1PodTemplateSpec? template)
    {
        var arguments = template?.Spec.Containers.SelectMany(c => c.Args ?? []).SkipWhile(a => a != NodeArgument).Skip(1).Take(1).ToList();
        if (arguments is [var node])
        {
            _running[(kind, workload)] = node;
        }
        else if (!_running.TryRemove((kind, workload), out _))
        {
            return;
        }

        Tell();
    }

    private void Tell() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Mounts([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyPods pods) : IReconciler
    {
        private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

        /// <inheritdoc/>
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            // What is gone stays mounted where it is.
            if (_secrets.Get(key) is { } secret)
            {
                pods.Mount(key.Namespace, secret);
            }

            return Task.FromResult(ReconcileResult.Done);
        }
    }

    private sealed class Lists([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyPods pods) : IReconciler
    {
        private readonly IInformer<V1Pod> _pods = management.Informer<V1Pod>();

        /// <inheritdoc/>
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            if (_pods.Get(key) is { Metadata.DeletionTimestamp: null } ? pods._pods.TryAdd(key, true) : pods._pods.TryRemove(key, out _))
            {
                pods.Tell();
            }

            return Task.FromResult(ReconcileResult.Done);
        }
    }

    private sealed class Runs<T>([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyPods pods) : IReconciler
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        private readonly IInformer<T> _workloads = management.Informer<T>();

        /// <inheritdoc/>
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            var template = _workloads.Get(key) switch
            {
                V1Deployment { Metadata.DeletionTimestamp: null, Spec.Replicas: not 0 } deployment => deployment.Spec.Template,
                V1DaemonSet { Metadata.DeletionTimestamp: null } set => set.Spec.Template,
                _ => null,
            };
            pods.Run(typeof(T).Name, key, template);
            return Task.FromResult(ReconcileResult.Done);
        }
    }
}
