using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Translation.Events;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Events;

/// <summary>Tells people what a written status changed, in Events on the tenant's object.</summary>
internal sealed class StatusEvents([FromKeyedServices(ClusterNames.Tenant)] EventRecorder recorder)
{
    /// <summary>The component that the Events come from.</summary>
    public const string Component = "kubelb-ccm";

    /// <summary>Tells of a route.</summary>
    /// <param name="before">The route as it was when its status was computed.</param>
    /// <param name="written">What became of the write.</param>
    public void Tell<T>(T before, Applied<T> written)
        where T : class, IGatewayRoute
    {
        if (written.Outcome != ApplyOutcome.Unchanged)
        {
            Record(written.Object, RouteStatusEvents.Between(before.Status, written.Object.Status));
        }
    }

    /// <summary>Tells of a Gateway.</summary>
    /// <param name="before">The Gateway as it was when its status was computed.</param>
    /// <param name="written">What became of the write.</param>
    public void Tell(Gateway before, Applied<Gateway> written)
    {
        if (written.Outcome != ApplyOutcome.Unchanged)
        {
            Record(written.Object, GatewayStatusEvents.Between(before.Status, written.Object.Status));
        }
    }

    private void Record<T>(T about, IReadOnlyList<StatusEvent> events)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var told in events)
        {
            recorder.Record(about, told.IsWarning ? EventType.Warning : EventType.Normal, told.Reason, told.Message);
        }
    }
}
