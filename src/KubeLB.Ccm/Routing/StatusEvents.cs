using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Events;
using KubeLB.Translation.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Routing;

/// <summary>Records Events about status changes on the tenant's Gateways and routes.</summary>
internal sealed class StatusEvents([FromKeyedServices(ClusterNames.Tenant)] EventRecorder recorder)
{
    /// <summary>Source component of the Events.</summary>
    public const string Component = "kubelb-ccm";

    private readonly ConcurrentDictionary<ResourceKey, string> _classProblems = new();
    private readonly ConcurrentDictionary<(string Kind, ResourceKey Key), string> _missingParents = new();

    /// <summary>Records the changes of a route's status.</summary>
    /// <param name="before">The route before the write.</param>
    /// <param name="written">Result of the write.</param>
    public void RecordStatus<T>(T before, Applied<T> written)
        where T : class, IGatewayRoute
    {
        if (written.Outcome != ApplyOutcome.Unchanged)
        {
            Record(written.Object, RouteStatusEvents.Between(before.Status, written.Object.Status));
        }
    }

    /// <summary>Records the changes of a Gateway's status.</summary>
    /// <param name="before">The Gateway before the write.</param>
    /// <param name="written">Result of the write.</param>
    public void RecordStatus(Gateway before, Applied<Gateway> written)
    {
        if (written.Outcome != ApplyOutcome.Unchanged)
        {
            Record(written.Object, GatewayStatusEvents.Between(before.Status, written.Object.Status));
        }
    }

    /// <summary>Records a new problem with the class of a Gateway, and the assignment of the class to another controller.</summary>
    public void RecordOwnership(Gateway gateway, GatewayOwnership ownership)
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
            if (!ownership.IsOwned && before == GatewayOwnership.ClassUnknown)
            {
                return;
            }

            if (!ownership.IsOwned)
            {
                var message = Messages.ClassOfOtherController(gateway.Spec?.GatewayClassName ?? "");
                recorder.Record(gateway, EventType.Warning, GatewayOwnership.Released, message);
            }
            else
            {
                recorder.Record(gateway, EventType.Normal, before, Messages.ClassRecovered(gateway.Spec?.GatewayClassName ?? ""));
            }
        }
    }

    /// <summary>Records that a parentRef of a route refers to no Gateway, once for each message.</summary>
    /// <param name="route">The route.</param>
    /// <param name="missing">The problem; null if all Gateways exist.</param>
    public void RecordMissingParent<T>(T route, Rejection? missing)
        where T : class, IGatewayRoute
    {
        var id = (route.Kind, ResourceKey.Of(route));
        if (missing is null)
        {
            _missingParents.TryRemove(id, out _);
        }
        else if (_missingParents.GetValueOrDefault(id) != missing.Message)
        {
            _missingParents[id] = missing.Message;
            recorder.Record(route, EventType.Warning, missing.Reason, missing.Message);
        }
    }

    /// <summary>Removes the state of a deleted route.</summary>
    public void Forget(string kind, ResourceKey route) => _missingParents.TryRemove((kind, route), out _);

    /// <summary>Removes the state of a deleted Gateway.</summary>
    public void Forget(ResourceKey gateway) => _classProblems.TryRemove(gateway, out _);

    private void Record<T>(T regarding, IReadOnlyList<StatusEvent> events)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var change in events)
        {
            recorder.Record(regarding, change.IsWarning ? EventType.Warning : EventType.Normal, change.Reason, change.Message);
        }
    }
}
