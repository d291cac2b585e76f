using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Settings;

/// <summary>Reports invalid settings and the manager's version in the status of the Config.</summary>
internal sealed class ConfigReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    Applier applier,
    TimeProvider time,
    ILogger<ConfigReconciler> logger
) : IReconciler
{
    private readonly IInformer<Config> _configs = management.Informer<Config>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (key.Name != Config.DefaultName || _configs.Get(key) is not { Metadata.DeletionTimestamp: null } config)
        {
            return ReconcileResult.Done;
        }

        var conditions = new ConditionSet(config.Status?.Conditions, StatusTime.Of(time.GetUtcNow()));
        if (SettingsProblems.MessageOf(config.Spec) is { } problems)
        {
            conditions.Set(
                SettingsConditions.SettingsValid,
                ConditionStatus.False,
                SettingsConditions.InvalidSettings,
                problems,
                config.Metadata.Generation
            );
            if (conditions.Existing(SettingsConditions.SettingsValid)?.Message != problems)
            {
                Log.InvalidConfig(logger, key, problems);
            }
        }

        var status = new ConfigStatus
        {
            Version = TenantObjects.Version(ManagerBuild.Version),
            Conditions = conditions.ToList() is { Count: > 0 } set ? set : null,
        };
        await applier.ApplyStatusAsync(management, config, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }
}

/// <summary>
/// Compares a section of Config or Tenant before and after a change, so that a change enqueues only the keys that depend on it.
/// </summary>
internal static class SettingsSection
{
    /// <summary>Whether two sections are equal; null is an absent one.</summary>
    public static bool Same(Extensible? before, Extensible? after) => Text(before) == Text(after);

    private static string? Text(Extensible? section) => section is null ? null : ApiJson.ToJson(section).ToJsonString();
}
