using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
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
/// Does what a kubelet does for the proxies' pods: takes each tenant's client certificate and the authorities to trust from the Secret in the
/// management cluster, and again whenever it changes.
/// </summary>
internal sealed class ProxyCredentials(ISandboxCluster management)
{
    private const string Cluster = "management";
    private const string Secret = "envoy-xds-client";

    private readonly ConcurrentDictionary<string, ProxyCredential> _byNode = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Builds the host that follows the Secrets.</summary>
    public IHost BuildHost(Action<ILoggingBuilder> logging)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        services.AddKubeRuntime(o => o.Component = "sandbox_credentials");
        services.AddCluster(Cluster, _ => management.CreateClient("kubelb-sandbox"), c =>
            c.Informer<V1Secret>(secrets => secrets.FieldSelector = $"metadata.name={Secret}"));
        services.AddSingleton(this);
        services.AddController<Carrier>("credentials", c => c.Watch<V1Secret>(Cluster));
        return builder.Build();
    }

    /// <summary>The node's credential now; null if it has none.</summary>
    public ProxyCredential? Of(string node) => _byNode.GetValueOrDefault(node);

    /// <summary>Nodes that have a credential, now and at each change.</summary>
    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed);
            yield return [.. _byNode.Keys];
            await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Set(string node, V1Secret secret)
    {
        if (secret.Data is { } data && data.TryGetValue("tls.crt", out var certificate) && data.TryGetValue("tls.key", out var key) && data.TryGetValue("ca.crt", out var trusted))
        {
            _byNode[node] = ProxyCredential.Read(Encoding.UTF8.GetString(certificate), Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(trusted));
            Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Carrier([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, ProxyCredentials credentials) : IReconciler
    {
        private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

        /// <inheritdoc/>
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            // What is gone stays mounted where it is.
            if (_secrets.Get(key) is { } secret)
            {
                credentials.Set(key.Namespace, secret);
            }

            return Task.FromResult(ReconcileResult.Done);
        }
    }
}

/// <summary>What a proxy shows, and whom it trusts.</summary>
internal sealed record ProxyCredential(X509Certificate2 Certificate, X509Certificate2Collection Trusted)
{
    public static ProxyCredential Read(string certificate, string key, string trusted)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(trusted);
        return new ProxyCredential(X509Certificate2.CreateFromPem(certificate, key), authorities);
    }

    /// <summary>Whether a server's certificate is of somebody that is trusted.</summary>
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
