using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Naming;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The objects that run a tenant's proxies: Deployment or DaemonSet, PodDisruptionBudget, and PodMonitor when asked for. Names, labels and
/// selector are those of the Go manager, whose Deployment is thus taken over.
/// </summary>
/// <param name="Deployment">The Deployment; null with a DaemonSet.</param>
/// <param name="DaemonSet">The DaemonSet; null with a Deployment.</param>
/// <param name="DisruptionBudget">
/// Keeps evictions from taking more than one pod at a time; null with a DaemonSet, whose pods are not evicted when a node is drained.
/// </param>
/// <param name="PodMonitor">Tells Prometheus Operator of the pods; null if not asked for.</param>
public sealed record ProxyWorkload(
    V1Deployment? Deployment,
    V1DaemonSet? DaemonSet,
    V1PodDisruptionBudget? DisruptionBudget,
    PodMonitor? PodMonitor
)
{
    private const string Component = "kubelb-envoy-proxy";

    /// <summary>The objects for a tenant.</summary>
    /// <param name="tenantNamespace">The tenant's namespace, which is also the proxies' node id.</param>
    /// <param name="settings">The settings in force.</param>
    /// <param name="controlPlane">Where the proxies get their configuration.</param>
    /// <param name="certificateSecret">Name of the Secret with the proxies' certificate.</param>
    public static ProxyWorkload Build(string tenantNamespace, ProxySettings settings, ControlPlane controlPlane, string certificateSecret)
    {
        var template = ProxyPod.Template(tenantNamespace, settings, controlPlane, certificateSecret);
        var selector = new V1LabelSelector { MatchLabels = ProxyPod.Selector(tenantNamespace) };
        return new ProxyWorkload(
            settings.IsDaemonSet ? null : Deploy(tenantNamespace, settings, selector, template),
            settings.IsDaemonSet ? RunEverywhere(tenantNamespace, selector, template) : null,
            settings.IsDaemonSet ? null : Budget(tenantNamespace, selector),
            settings.HasPodMonitor ? Monitor(tenantNamespace, selector) : null
        );
    }

    private static V1Deployment Deploy(
        string tenantNamespace,
        ProxySettings settings,
        V1LabelSelector selector,
        V1PodTemplateSpec template
    ) =>
        new()
        {
            ApiVersion = $"{V1Deployment.KubeGroup}/{V1Deployment.KubeApiVersion}",
            Kind = V1Deployment.KubeKind,
            Metadata = Metadata(tenantNamespace),
            Spec = new V1DeploymentSpec
            {
                Replicas = settings.Replicas,
                Selector = selector,
                Strategy = new V1DeploymentStrategy
                {
                    Type = "RollingUpdate",

                    // Where a new pod may find no node beside the old ones, one of those has to go first.
                    RollingUpdate = new V1RollingUpdateDeployment
                    {
                        MaxSurge = 1,
                        MaxUnavailable = ProxyPod.IsOnePerNode(settings) ? 1 : 0,
                    },
                },
                Template = template,
            },
        };

    private static V1DaemonSet RunEverywhere(string tenantNamespace, V1LabelSelector selector, V1PodTemplateSpec template) =>
        new()
        {
            ApiVersion = $"{V1DaemonSet.KubeGroup}/{V1DaemonSet.KubeApiVersion}",
            Kind = V1DaemonSet.KubeKind,
            Metadata = Metadata(tenantNamespace),
            Spec = new V1DaemonSetSpec
            {
                Selector = selector,
                UpdateStrategy = new V1DaemonSetUpdateStrategy
                {
                    Type = "RollingUpdate",
                    RollingUpdate = new V1RollingUpdateDaemonSet { MaxSurge = 0, MaxUnavailable = 1 },
                },
                Template = template,
            },
        };

    private static V1PodDisruptionBudget Budget(string tenantNamespace, V1LabelSelector selector) =>
        new()
        {
            ApiVersion = $"{V1PodDisruptionBudget.KubeGroup}/{V1PodDisruptionBudget.KubeApiVersion}",
            Kind = V1PodDisruptionBudget.KubeKind,
            Metadata = Metadata(tenantNamespace),

            // A number that may be missing, not one that must be there: with a single replica the latter would keep a node from ever being
            // drained.
            Spec = new V1PodDisruptionBudgetSpec
            {
                MaxUnavailable = 1,
                Selector = selector,
                UnhealthyPodEvictionPolicy = "AlwaysAllow",
            },
        };

    private static PodMonitor Monitor(string tenantNamespace, V1LabelSelector selector) =>
        new()
        {
            Metadata = Metadata(tenantNamespace),
            Spec = new PodMonitorSpec
            {
                Selector = selector,
                PodMetricsEndpoints = [new PodMetricsEndpoint { Port = ProxyPod.MetricsPort, Path = ProxyPod.MetricsPath }],
            },
        };

    private static V1ObjectMeta Metadata(string tenantNamespace) =>
        new()
        {
            Name = TenantNames.Proxy(tenantNamespace),
            NamespaceProperty = tenantNamespace,
            Labels = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [Labels.ManagedBy] = Labels.ManagedByKubelb,
                [Labels.AppManagedBy] = Labels.ManagedByKubelb,
                [Labels.AppName] = Component,
                [Labels.AppInstance] = tenantNamespace,
            },
        };
}
