using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Events;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Events;

/// <summary>Tells people what a written status changed, in Events on the tenant's object.</summary>
internal sealed class StatusEvents([FromKeyedServices(ClusterNames.Tenant)] EventRecorder recorder)
{
    /// <summary>The component that the Events come from.</summary>
    public const string Component = "kubelb-ccm";

    private readonly ConcurrentDictionary<ResourceKey, string> _classProblems = new();

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

    /// <summary>Tells what is wrong with the class of a Gateway, when that changes, and of its release.</summary>
    public void Tell(Gateway gateway, GatewayOwnership ownership)
    {
        var key = ResourceKey.Of(gateway);
        var before = _classProblems.GetValueOrDefault(key);
        if (ownership.Reason is { } reason)
        {
            _classProblems[key] = reason;
            if (reason != before)
            {
                recorder.Record(gateway, EventType.Warning, reason, ownership.Message!);
            }
        }
        else if (before is not null)
        {
            _classProblems.TryRemove(key, out _);
            if (!ownership.IsOwned)
            {
                var message =
                    $"GatewayClass {gateway.Spec?.GatewayClassName} belongs to another controller; KubeLB no longer serves this Gateway. "
                    + $"To be served again, use a class of controller {GatewayClass.KubelbController}.";
                recorder.Record(gateway, EventType.Warning, GatewayOwnership.Released, message);
            }
        }
    }

    /// <summary>The Gateway is gone.</summary>
    public void Forget(ResourceKey gateway) => _classProblems.TryRemove(gateway, out _);

    private void Record<T>(T about, IReadOnlyList<StatusEvent> events)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var told in events)
        {
            recorder.Record(about, told.IsWarning ? EventType.Warning : EventType.Normal, told.Reason, told.Message);
        }
    }
}
