using System.Collections.Concurrent;
using System.Text;
using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// Does what an administrator does with a tenant's kubeconfig: takes it from its Secret in the management cluster and puts it where the CCM
/// finds it, as a file; and again whenever it changes.
/// </summary>
internal sealed class CcmKubeconfigs : IDisposable
{
    private const string Cluster = "management";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly ISandboxCluster _management;
    private readonly DirectoryInfo? _temporary;
    private readonly string _folder;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _written = new(StringComparer.Ordinal);

    /// <summary>Prepares the folder.</summary>
    /// <param name="management">The management cluster.</param>
    /// <param name="folder">Where the files go; null for a folder that ends with this.</param>
    public CcmKubeconfigs(ISandboxCluster management, string? folder)
    {
        _management = management;
        _temporary = folder is null ? Directory.CreateTempSubdirectory("kubelb-kubeconfigs-") : null;
        _folder = folder ?? _temporary!.FullName;
    }

    /// <summary>Builds the host that keeps the files as the Secrets are.</summary>
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
        services.AddController<Carrier>("kubeconfig", c => c.Watch<V1Secret>(Cluster));
        return builder.Build();
    }

    /// <summary>Waits for a tenant's kubeconfig.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="TimeoutException">There is none after a minute.</exception>
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
                $"After {Deadline.TotalSeconds:0} s there is no Secret "
                    + $"{TenantNames.Namespace(tenant)}/{TenantNames.KubeconfigSecret} in the management cluster; "
                    + $"the status of Tenant {tenant} and the manager's log say why.",
                e
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _temporary?.Delete(recursive: true);

    private void Write(string tenant, byte[] kubeconfig)
    {
        // Replaced whole: a reader never sees half of it.
        var file = FileOf(tenant);
        Commands.SandboxFolder.WriteSecret(file + ".new", Encoding.UTF8.GetString(kubeconfig));
        File.Move(file + ".new", file, overwrite: true);
        Written(tenant).TrySetResult();
    }

    private string FileOf(string tenant) => Path.Combine(_folder, $"ccm-{tenant}.kubeconfig");

    private TaskCompletionSource Written(string tenant) =>
        _written.GetOrAdd(tenant, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class Carrier([FromKeyedServices(Cluster)] Runtime.Clusters.Cluster management, CcmKubeconfigs files) : IReconciler
    {
        private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

        /// <inheritdoc/>
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
        {
            // What is gone is not taken away: a copy that an administrator made would stay, too.
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
