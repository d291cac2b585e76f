using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Naming;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The objects that run a tenant's proxies: Deployment or DaemonSet, PodDisruptionBudget, NetworkPolicy and PodMonitor. Names, labels and
/// selector are those of the Go manager, so that its Deployment is adopted.
/// </summary>
/// <param name="Deployment">The Deployment; null with a DaemonSet.</param>
/// <param name="DaemonSet">The DaemonSet; null with a Deployment.</param>
/// <param name="DisruptionBudget">
/// Allows the eviction of one pod at a time; null with a DaemonSet, whose pods are not evicted when a node is drained.
/// </param>
/// <param name="PodMonitor">The PodMonitor of Prometheus Operator; null if it is not enabled.</param>
/// <param name="NetworkPolicy">Limits where the proxies connect to; null if it is disabled.</param>
public sealed record ProxyWorkload(
    V1Deployment? Deployment,
    V1DaemonSet? DaemonSet,
    V1PodDisruptionBudget? DisruptionBudget,
    PodMonitor? PodMonitor,
    V1NetworkPolicy? NetworkPolicy
)
{
    private const string Component = "kubelb-envoy-proxy";

    /// <summary>The objects for a tenant.</summary>
    /// <param name="tenantNamespace">The tenant's namespace, which is also the proxies' node id.</param>
    /// <param name="settings">The effective settings.</param>
    /// <param name="controlPlane">The proxies' xDS server.</param>
    /// <param name="certificateSecret">Name of the Secret with the proxies' certificate.</param>
    /// <param name="egress">Where the proxies may connect to (<see cref="ProxyNetworkPolicy"/>).</param>
    public static ProxyWorkload Build(
        string tenantNamespace,
        ProxySettings settings,
        ControlPlane controlPlane,
        string certificateSecret,
        IList<V1NetworkPolicyEgressRule> egress
    )
    {
        var template = ProxyPod.Template(tenantNamespace, settings, controlPlane, certificateSecret);
        var selector = new V1LabelSelector { MatchLabels = ProxyPod.Selector(tenantNamespace) };
        return new ProxyWorkload(
            settings.IsDaemonSet ? null : BuildDeployment(tenantNamespace, settings, selector, template),
            settings.IsDaemonSet ? BuildDaemonSet(tenantNamespace, selector, template) : null,
            settings.IsDaemonSet ? null : Budget(tenantNamespace, selector),
            settings.HasPodMonitor ? Monitor(tenantNamespace, selector) : null,
            settings.HasNetworkPolicy ? Policy(tenantNamespace, selector, egress) : null
        );
    }

    private static V1Deployment BuildDeployment(
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

                    // With one pod per node there may be no free node for a new pod before an old one is deleted.
                    RollingUpdate = new V1RollingUpdateDeployment
                    {
                        MaxSurge = 1,
                        MaxUnavailable = ProxyPod.IsOnePerNode(settings) ? 1 : 0,
                    },
                },
                Template = template,
            },
        };

    private static V1DaemonSet BuildDaemonSet(string tenantNamespace, V1LabelSelector selector, V1PodTemplateSpec template) =>
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

            // With a single replica, minAvailable would block the drain of its node.
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
                PodMetricsEndpoints = [new PodMetricsEndpoint { Port = ProxyPod.MetricsPort, Path = ProxyPorts.StatsPath }],
            },
        };

    private static V1NetworkPolicy Policy(string tenantNamespace, V1LabelSelector selector, IList<V1NetworkPolicyEgressRule> egress) =>
        new()
        {
            ApiVersion = $"{V1NetworkPolicy.KubeGroup}/{V1NetworkPolicy.KubeApiVersion}",
            Kind = V1NetworkPolicy.KubeKind,
            Metadata = Metadata(tenantNamespace),
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = selector,
                PolicyTypes = ["Egress"],
                Egress = egress,
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
