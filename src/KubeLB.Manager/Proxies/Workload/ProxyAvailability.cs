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
/// Whether a tenant that has proxies has one that serves. Envoy Gateway takes routes without asking who is behind them, so nobody else
/// would tell. Pods take a while to start, which is nothing to tell of.
/// </summary>
internal sealed class ProxyAvailability([FromKeyedServices(ManagementCluster.Name)] Cluster management, TimeProvider time)
{
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();
    private readonly DelayTracker _none = new(time);

    /// <summary>Whether a Deployment of proxies has a pod that serves.</summary>
    public static bool Serves(V1Deployment? deployment) => deployment?.Status?.AvailableReplicas > 0;

    /// <summary>Whether a DaemonSet of proxies has a pod that serves.</summary>
    public static bool Serves(V1DaemonSet? daemonSet) => daemonSet?.Status?.NumberAvailable > 0;

    /// <summary>Why a Deployment of proxies has no pods, as its controller says; null if it does not.</summary>
    public static string? Failure(V1Deployment? deployment) =>
        deployment?.Status?.Conditions?.FirstOrDefault(c => c is { Type: "ReplicaFailure", Status: ConditionStatus.True })?.Message;

    /// <summary>Why a DaemonSet of proxies has no pods; null if it should have some.</summary>
    public static string? Failure(V1DaemonSet? daemonSet) => daemonSet?.Status?.DesiredNumberScheduled == 0 ? "no node is eligible" : null;

    /// <summary>What is wrong with a tenant's proxies, and when to ask again if nothing changes.</summary>
    /// <returns>A sentence for an operator, or null; a time, or null.</returns>
    public (string? Problem, TimeSpan? RequeueAfter) Of(Tenant tenant)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        var name = TenantNames.Proxy(@namespace);
        var (deployment, daemonSet) = (_deployments.Get(@namespace, name), _daemonSets.Get(@namespace, name));
        if ((deployment is null && daemonSet is null) || Serves(deployment) || Serves(daemonSet))
        {
            _none.End(WorkloadReconciler.KeyOf(@namespace));
            return (null, null);
        }

        var left = _none.Left(WorkloadReconciler.KeyOf(@namespace), "", Delays.ProxyStart);
        var isTold = ProxyAvailabilityCondition.Of(tenant.Status) is not null;
        return isTold || left is null ? (Message(@namespace, deployment, daemonSet), null) : (null, left);
    }

    private static string Message(string @namespace, V1Deployment? deployment, V1DaemonSet? daemonSet)
    {
        var what = $"{(deployment is null ? V1DaemonSet.KubeKind : V1Deployment.KubeKind)} {TenantNames.Proxy(@namespace)}";
        var why = deployment is null ? Failure(daemonSet) : Failure(deployment);
        return $"No pod of {what} in namespace {@namespace} is available, and the tenant's routes are not served"
            + (why is null ? $": see kubectl -n {@namespace} describe pods -l {Labels.AppName}={@namespace}" : $": {why}");
    }
}
