using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Reports in the status of the Config: whether the settings are valid, the domains of tenants restricted, the management cluster's own
/// ranges known and the GatewayClass accepted, whether Envoy Gateway responds, and the manager's version.
/// </summary>
internal sealed class ConfigReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    OpenDomains domains,
    Applier applier,
    TimeProvider time,
    ILogger<ConfigReconciler> logger,
    ManagementRanges? ranges = null,
    GatewayClasses? classes = null,
    EnvoyGatewayReports? reports = null
) : IReconciler
{
    private readonly IInformer<Config> _configs = management.Informer<Config>();
    private string? _loggedUnknown;

    public static void AddController(IServiceCollection services, ManagerOptions options) =>
        services.AddController<ConfigReconciler>(
            "config",
            controller =>
            {
                controller.Watch<Config>(ManagementCluster.Name);
                OpenDomains.Watch(controller, options);
                if (options.EnableGatewayApi)
                {
                    ResourceKey[] config = [new(options.Namespace, Config.DefaultName)];
                    controller.Watch<V1Node>(
                        ManagementCluster.Name,
                        _ =>
                            (Change<V1Node> change) =>
                                (change.Old is { } old && ManagementRanges.PodRanges(old).Count > 0)
                                    == (change.New is { } now && ManagementRanges.PodRanges(now).Count > 0)
                                && change.Old is not null
                                && change.New is not null
                                    ? []
                                    : config
                    );
                    controller.Watch<V1ServiceCIDR>(ManagementCluster.Name, _ => (V1ServiceCIDR _) => config);
                    GatewayClasses.WatchConfig(controller, config[0]);
                    EnvoyGatewayReports.WatchConfig(controller, config[0]);
                    controller.WaitFor<V1EndpointSlice>(ManagementCluster.Name);
                }
            }
        );

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (key.Name != Config.DefaultName)
        {
            return ReconcileResult.Done;
        }

        var unknown = ranges?.Unknown ?? [];
        TimeSpan? overdue = null;
        if (_configs.Get(key) is { Metadata.DeletionTimestamp: null } config)
        {
            overdue = await ReportAsync(key, config, unknown, cancellationToken).ConfigureAwait(false);
        }
        else if (unknown.Count > 0)
        {
            // Without a Config there is no condition.
            LogUnknown(Messages.RangesUnknown(unknown));
        }

        // That a kind is served, or may be read, is no change of an object.
        return unknown.Count > 0 && !(overdue < Delays.UnknownRanges) ? ReconcileResult.RequeueAfter(Delays.UnknownRanges)
            : overdue is { } left ? ReconcileResult.RequeueAfter(left)
            : ReconcileResult.Done;
    }

    // Returns when a missing report of Envoy Gateway becomes overdue; null if none is awaited.
    private async Task<TimeSpan?> ReportAsync(
        ResourceKey key,
        Config config,
        IReadOnlyList<string> unknown,
        CancellationToken cancellationToken
    )
    {
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
        else
        {
            conditions.Set(
                SettingsConditions.SettingsValid,
                ConditionStatus.True,
                SettingsConditions.Valid,
                Messages.SettingsValid,
                config.Metadata.Generation
            );
        }

        if (ranges is not null)
        {
            SetRanges(conditions, config, unknown);
        }

        classes?.SetConfigCondition(conditions, config);
        domains.SetCondition(conditions, config);
        var overdue = reports?.SetCondition(conditions, config);
        if (
            conditions.Current(SettingsConditions.EnvoyGatewayResponding) is { Status: ConditionStatus.False } missing
            && conditions.Existing(missing.Type)?.Message != missing.Message
        )
        {
            Log.EnvoyGatewayNotResponding(logger, missing.Message);
        }

        var status = new ConfigStatus
        {
            Version = TenantObjects.Version(ManagerBuild.Build),
            Conditions = conditions.ToList() is { Count: > 0 } set ? set : null,
        };
        await applier.ApplyStatusAsync(management, config, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return overdue;
    }

    private void SetRanges(ConditionSet conditions, Config config, IReadOnlyList<string> unknown)
    {
        var (isKnown, reason, message) =
            unknown.Count == 0 ? (true, SettingsConditions.RangesKnown, Messages.RangesKnown)
            : config.Spec?.Addresses?.Deny is { Count: > 0 } ? (true, SettingsConditions.RangesDeclared, Messages.RangesDeclared(unknown))
            : (false, SettingsConditions.RangesUnknown, Messages.RangesUnknown(unknown));
        conditions.Set(SettingsConditions.ManagementRangesKnown, ConditionStatus.Of(isKnown), reason, message, config.Metadata.Generation);
        if (!isKnown)
        {
            LogUnknown(message);
        }
    }

    private void LogUnknown(string message)
    {
        if (Interlocked.Exchange(ref _loggedUnknown, message) != message)
        {
            Log.RangesUnknown(logger, message);
        }
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
