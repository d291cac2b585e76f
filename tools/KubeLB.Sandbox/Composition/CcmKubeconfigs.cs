using System.Collections.Concurrent;
using System.Text;
using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// Does the administrator's part for a tenant's kubeconfig: copies it from its Secret in the management cluster to the file of the CCM, and
/// updates the file when the Secret changes.
/// </summary>
internal sealed class CcmKubeconfigs : IDisposable
{
    private const string Cluster = "management";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly ISandboxCluster _management;
    private readonly DirectoryInfo? _temporary;
    private readonly string _folder;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _written = new(StringComparer.Ordinal);

    /// <summary>Creates the directory.</summary>
    /// <param name="management">The management cluster.</param>
    /// <param name="folder">Directory of the files; null for a temporary one.</param>
    public CcmKubeconfigs(ISandboxCluster management, string? folder)
    {
        _management = management;
        _temporary = folder is null ? Directory.CreateTempSubdirectory("kubelb-kubeconfigs-") : null;
        _folder = folder ?? _temporary!.FullName;
    }

    /// <summary>Builds the host that copies the Secrets to files.</summary>
    public IHost BuildHost(Action<ILoggingBuilder> logging)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        services.AddKubeRuntime(o => o.Component = "sandbox_kubeconfigs");
        services.AddCluster(
            Cluster,
            _ => _management.CreateClient("kubelb-sandbox"),
            c => c.Informer<V1Secret>(secrets => secrets.FieldSelector = $"metadata.name={TenantNames.KubeconfigSecret}")
        );
        services.AddSingleton(this);
        services.AddController<KubeconfigReconciler>("kubeconfig", c => c.Watch<V1Secret>(Cluster));
        return builder.Build();
    }

    /// <summary>Waits for a tenant's kubeconfig.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="TimeoutException">It does not exist after one minute.</exception>
    public async Task<string> WaitAsync(string tenant, CancellationToken cancellationToken)
    {
        try
        {
            await Written(tenant).Task.WaitAsync(Deadline, cancellationToken).ConfigureAwait(false);
            return FileOf(tenant);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"Timed out after {Deadline.TotalSeconds:0} s waiting for Secret "
                    + $"{TenantNames.Namespace(tenant)}/{TenantNames.KubeconfigSecret} in the management cluster; "
                    + $"see the status of Tenant {tenant} and the manager's log.",
                e
            );
        }
    }

    public void Dispose() => _temporary?.Delete(recursive: true);

    private void Write(string tenant, byte[] kubeconfig)
    {
        // Replaced atomically: a reader never sees a partial file.
        var file = FileOf(tenant);
        Commands.SandboxFolder.WriteSecret(file + ".new", Encoding.UTF8.GetString(kubeconfig));
        File.Move(file + ".new", file, overwrite: true);
        Written(tenant).TrySetResult();
    }

    private string FileOf(string tenant) => Path.Combine(_folder, $"ccm-{tenant}.kubeconfig");

    private TaskCompletionSource Written(string tenant) =>
        _written.GetOrAdd(tenant, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class KubeconfigReconciler([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, CcmKubeconfigs files)
        : IReconciler
    {
        private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            // The file is kept when the Secret is deleted, like a copy made by an administrator.
            if (
                TenantNames.TenantOf(key.Namespace) is { } tenant
                && _secrets.Get(key)?.Data?.TryGetValue(TenantNames.KubeconfigKey, out var kubeconfig) == true
            )
            {
                files.Write(tenant, kubeconfig);
            }

            return Task.FromResult(ReconcileResult.Done);
        }
    }
}
