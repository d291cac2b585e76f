using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Net.Client;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Composition;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// Replaces the kubelet for the proxies' pods: reads from the Deployments and DaemonSets of the management cluster which node ids exist,
/// and mounts each tenant's Secret with its client certificate and trusted authorities, also when it changes.
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

    /// <summary>The current credential of a node; null if it has none.</summary>
    public ProxyCredential? CredentialOf(string node) => _credentials.GetValueOrDefault(node);

    /// <summary>Node ids with a pod and a credential, initially and after each change.</summary>
    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed);
            yield return [.. _running.Values.Distinct(StringComparer.Ordinal).Where(_credentials.ContainsKey)];
            await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The pods of all tenant proxies with a credential, initially and after each change.</summary>
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
            NotifyChanged();
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

        NotifyChanged();
    }

    private void NotifyChanged() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Mounts([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyPods pods) : IReconciler
    {
        private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            // A deleted Secret stays mounted.
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

        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            if (_pods.Get(key) is { Metadata.DeletionTimestamp: null } ? pods._pods.TryAdd(key, true) : pods._pods.TryRemove(key, out _))
            {
                pods.NotifyChanged();
            }

            return Task.FromResult(ReconcileResult.Done);
        }
    }

    private sealed class Runs<T>([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyPods pods) : IReconciler
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        private readonly IInformer<T> _workloads = management.Informer<T>();

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

/// <summary>Client certificate and trusted authorities of a proxy.</summary>
internal sealed record ProxyCredential(X509Certificate2 Certificate, X509Certificate2Collection Trusted)
{
    /// <summary>The credential in a tenant's Secret; null if it is incomplete.</summary>
    public static ProxyCredential? Of(V1Secret secret) =>
        secret.Data is { } data
        && data.TryGetValue("tls.crt", out var certificate)
        && data.TryGetValue("tls.key", out var key)
        && data.TryGetValue("ca.crt", out var trusted)
            ? Read(Encoding.UTF8.GetString(certificate), Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(trusted))
            : null;

    /// <summary>Creates a channel to the manager's xDS server. The caller disposes it.</summary>
    /// <param name="server">The xDS end point of the manager.</param>
    /// <param name="serverName">Server name in its certificate.</param>
    /// <param name="credential">The credential; null for none.</param>
    public static GrpcChannel Connect(IPEndPoint server, string serverName, ProxyCredential? credential) =>
        GrpcChannel.ForAddress(
            $"https://{server}",
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = null,
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        ClientCertificates = credential is null ? null : [credential.Certificate],
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                            certificate is X509Certificate2 x509 && x509.MatchesHostname(serverName) && credential?.Trusts(x509) == true,
                    },
                },
            }
        );

    private static ProxyCredential Read(string certificate, string key, string trusted)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(trusted);
        return new ProxyCredential(X509Certificate2.CreateFromPem(certificate, key), authorities);
    }

    /// <summary>Whether a server certificate is signed by a trusted authority.</summary>
    public bool Trusts(X509Certificate2 server)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(server);
    }
}
