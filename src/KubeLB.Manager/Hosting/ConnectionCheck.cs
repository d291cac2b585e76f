using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Hosting;

/// <summary>
/// The checks of <c>kubelb-manager check</c>: the API server, the leader, the Config, and the setup and CCM of each Tenant. Reads with the
/// permissions of the manager and changes nothing.
/// </summary>
internal static class ConnectionCheck
{
    public static async Task<IReadOnlyList<Finding>> CheckAsync(ManagerOptions options, CancellationToken cancellationToken)
    {
        var connection = Kubeconfig.Connect(options.Kubeconfig, "kubelb-manager");
        using var host = ManagerHost.Build(
            options with
            {
                MetricsAddress = "",
                HealthProbeBindAddress = "",
                ListenAddress = "",
                EnableLeaderElection = false,
            },
            () => connection
        );
        var management = host.Services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name);

        var (tenants, reported) = (new List<Tenant>(), new List<Addresses>());
        var findings = new List<Finding>
        {
            await CheckCommand.ApiServerAsync("This cluster", management, cancellationToken).ConfigureAwait(false),
        };
        if (options.EnableLeaderElection)
        {
            var lease = ManagerHost.LeaderElection(options);
            await AddAsync("Leader", cancel => CheckCommand.LeaseAsync(management, lease, cancel)).ConfigureAwait(false);
        }

        await AddAsync("Config", cancel => ConfigAsync(management, options.Namespace, cancel)).ConfigureAwait(false);
        await AddAsync("Tenants", cancel => ListAsync(management, tenants, "", cancel)).ConfigureAwait(false);
        await AddAsync("CCMs", cancel => ListAsync(management, reported, " have reported", cancel)).ConfigureAwait(false);
        findings.AddRange(tenants.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => TenantFinding(t, reported)));
        return findings;

        async Task AddAsync(string what, Func<CancellationToken, Task<Finding>> request) =>
            findings.Add(await CheckCommand.RequestAsync(what, request, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<Finding> ConfigAsync(Cluster management, string managerNamespace, CancellationToken cancellationToken)
    {
        var config = await management
            .Client<Config>()
            .GetAsync(new ResourceKey(managerNamespace, Config.DefaultName), cancellationToken)
            .ConfigureAwait(false);
        return config is null ? new Finding(true, "does not exist; the defaults apply.")
            : FirstFalse(config.Status?.Conditions) is { } problem ? new Finding(false, problem)
            : new Finding(true, "is applied.");
    }

    private static async Task<Finding> ListAsync<T>(Cluster management, List<T> found, string what, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        found.AddRange((await management.Client<T>().ListAsync(ListQuery.All, cancellationToken).ConfigureAwait(false)).Items);
        return new Finding(true, $"{(found.Count == 0 ? "none" : found.Count)}{what}.");
    }

    // Problems of a tenant are warnings: they do not fail the check of the installation.
    private static Finding TenantFinding(Tenant tenant, List<Addresses> reported)
    {
        var addresses = reported.FirstOrDefault(a => a.Namespace == TenantNames.Namespace(tenant.Name));
        return tenant switch
        {
            { Metadata.DeletionTimestamp: not null } => new Finding(true, $"Tenant {tenant.Name}: is being deleted."),
            _ when FirstFalse(tenant.Status?.Conditions) is { } problem => Warning($"Tenant {tenant.Name}: {problem}"),
            { Status.Phase: not TenantPhases.Ready } => Warning(
                $"Tenant {tenant.Name}: is not ready (phase {tenant.Status?.Phase ?? "unknown"}). See the log of the manager."
            ),
            _ when addresses is null => new Finding(true, $"Tenant {tenant.Name}: is ready; no CCM has reported yet."),
            _ => new Finding(
                true,
                $"Tenant {tenant.Name}: CCM {CcmAnnotations.CcmVersionOf(addresses) ?? "(unknown version)"} has reported "
                    + $"{addresses.Spec?.Addresses?.Count ?? 0} node address(es)."
            ),
        };
    }

    private static Finding Warning(string text) => new(false, text) { IsWarning = true };

    private static string? FirstFalse(IEnumerable<Condition>? conditions) =>
        conditions?.FirstOrDefault(c => c.Status == ConditionStatus.False) is { } condition
            ? $"{condition.Type} is False ({condition.Reason}): {condition.Message}"
            : null;
}
