using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// Checks that a tenant with proxies has an available one; Envoy Gateway does not check the backends of routes. The absence of an available
/// pod is reported only after a delay, so that pods can start.
/// </summary>
internal sealed class ProxyAvailability([FromKeyedServices(ManagementCluster.Name)] Cluster management, TimeProvider time)
{
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();
    private readonly DelayTracker _unavailable = new(time);

    /// <summary>Whether a pod of a Deployment is available.</summary>
    public static bool IsAvailable(V1Deployment? deployment) => deployment?.Status?.AvailableReplicas > 0;

    /// <summary>Whether a pod of a DaemonSet is available.</summary>
    public static bool IsAvailable(V1DaemonSet? daemonSet) => daemonSet?.Status?.NumberAvailable > 0;

    /// <summary>Ready and desired pods of a Deployment, for example <c>2/2</c>; null if it does not exist.</summary>
    public static string? ReadinessOf(V1Deployment? deployment) =>
        deployment is null ? null : $"{deployment.Status?.ReadyReplicas ?? 0}/{deployment.Spec?.Replicas ?? 1}";

    /// <summary>Ready and desired pods of a DaemonSet; null if it does not exist.</summary>
    public static string? ReadinessOf(V1DaemonSet? daemonSet) =>
        daemonSet is null ? null : $"{daemonSet.Status?.NumberReady ?? 0}/{daemonSet.Status?.DesiredNumberScheduled ?? 0}";

    /// <summary>Ready and desired proxies of a tenant; null if it has none.</summary>
    public string? ReadinessOf(string tenantNamespace)
    {
        var name = TenantNames.Proxy(tenantNamespace);
        return ReadinessOf(_deployments.Get(tenantNamespace, name)) ?? ReadinessOf(_daemonSets.Get(tenantNamespace, name));
    }

    /// <summary>Why a Deployment has no pods, as it reports; null if it does not.</summary>
    public static string? Failure(V1Deployment? deployment) =>
        deployment?.Status?.Conditions?.FirstOrDefault(c => c is { Type: "ReplicaFailure", Status: ConditionStatus.True })?.Message;

    /// <summary>Why a DaemonSet has no pods; null if it should have some.</summary>
    public static string? Failure(V1DaemonSet? daemonSet) =>
        daemonSet?.Status?.DesiredNumberScheduled == 0 ? Messages.NoEligibleNode : null;

    /// <summary>Whether no proxy of a tenant is available, and when to check again if nothing changes.</summary>
    /// <returns>A message for the administrator, or null; a time, or null.</returns>
    public (string? Problem, TimeSpan? RequeueAfter) ProblemOf(Tenant tenant)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        var name = TenantNames.Proxy(@namespace);
        var (deployment, daemonSet) = (_deployments.Get(@namespace, name), _daemonSets.Get(@namespace, name));
        if ((deployment is null && daemonSet is null) || IsAvailable(deployment) || IsAvailable(daemonSet))
        {
            _unavailable.End(WorkloadReconciler.KeyOf(@namespace));
            return (null, null);
        }

        var left = _unavailable.Left(WorkloadReconciler.KeyOf(@namespace), "", Delays.ProxyStart);
        var isReported = ProxyAvailabilityCondition.Of(tenant.Status) is not null;
        return isReported || left is null ? (Message(@namespace, deployment, daemonSet), null) : (null, left);
    }

    private static string Message(string @namespace, V1Deployment? deployment, V1DaemonSet? daemonSet)
    {
        var workload = $"{(deployment is null ? V1DaemonSet.KubeKind : V1Deployment.KubeKind)} {TenantNames.Proxy(@namespace)}";
        var cause = deployment is null ? Failure(daemonSet) : Failure(deployment);
        return cause is null ? Messages.NoProxyAvailable(workload, @namespace) : Messages.NoProxyAvailable(workload, @namespace, cause);
    }
}
