using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Events;

/// <summary>The Events about a change of an HTTPRoute's or GRPCRoute's status.</summary>
public static class RouteStatusEvents
{
    /// <summary>The distinct Events of a change; none if only generations and times changed.</summary>
    /// <param name="before">The status before; null if there was none.</param>
    /// <param name="after">The status as written.</param>
    public static IReadOnlyList<StatusEvent> Between(RouteParentsStatus? before, RouteParentsStatus? after)
    {
        var old = ParentsOf(before);
        var now = ParentsOf(after);
        var events = now.SelectMany(parent => Changes(parent, old.Find(p => p.ParentRef.IsSameAs(parent.ParentRef))));
        var detached = old.Where(parent => !now.Exists(p => p.ParentRef.IsSameAs(parent.ParentRef)))
            .Select(parent => StatusEvent.Normal(StatusEvent.Released, RouteMessages.Detached(GatewayOf(parent))));
        return [.. events.Concat(detached).Distinct()];
    }

    private static IEnumerable<StatusEvent> Changes(RouteParentStatus parent, RouteParentStatus? before)
    {
        var accepted = ConditionChange.Of(GatewayConditions.Accepted, before?.Conditions, parent.Conditions);
        if (accepted is { BecameTrue: true, WasUnprocessed: false })
        {
            yield return StatusEvent.Normal(GatewayConditions.Accepted, RouteMessages.Attached(GatewayOf(parent)));
        }
        else if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }

        var resolved = ConditionChange.Of(GatewayConditions.ResolvedRefs, before?.Conditions, parent.Conditions);
        if (resolved.BecameFalse)
        {
            yield return StatusEvent.Warning(resolved.After!.Reason, resolved.After.Message);
        }
        else if (
            resolved is { BecameTrue: true, Before.Status: ConditionStatus.False }
            || (resolved.BecameTrue && resolved.Before?.Message == RouteMessages.BackendsPending)
        )
        {
            yield return StatusEvent.Normal(GatewayConditions.ResolvedRefs, RouteMessages.RefsRecovered);
        }

        var retries = ConditionChange.Of(GatewayConditions.RetryPolicyApplied, before?.Conditions, parent.Conditions);
        if (retries.BecameFalse)
        {
            yield return StatusEvent.Warning(retries.After!.Reason, retries.After.Message);
        }
        else if (retries is { BecameTrue: true, Before.Status: ConditionStatus.False })
        {
            yield return StatusEvent.Normal(RouteConditions.RetryPolicyApplied, retries.After!.Message);
        }
        else if (retries.WasResolved)
        {
            yield return StatusEvent.Normal(RouteConditions.RetryPolicyApplied, RouteMessages.Resolved(retries.Before!.Message));
        }

        var proxies = ConditionChange.Of(GatewayConditions.ProxyProgrammed, before?.Conditions, parent.Conditions);
        if (proxies.BecameFalse)
        {
            yield return StatusEvent.Warning(proxies.After!.Reason, proxies.After.Message);
        }
        else if (proxies.WasResolved)
        {
            yield return StatusEvent.Normal(StatusEvent.ProxyProgrammed, RouteMessages.ProxiesAccepted);
        }

        var backends = ConditionChange.Of(GatewayConditions.BackendsReady, before?.Conditions, parent.Conditions);
        if (backends.BecameFalse)
        {
            yield return StatusEvent.Warning(backends.After!.Reason, backends.After.Message);
        }
        else if (backends is { BecameTrue: true, Before.Status: ConditionStatus.False })
        {
            yield return StatusEvent.Normal(StatusEvent.BackendsReady, BackendMessages.AllReady);
        }

        foreach (var type in ConditionPrecedence.Problems)
        {
            var problem = ConditionChange.Of(type, before?.Conditions, parent.Conditions);
            if (problem.After is { IsTrue: true } && problem.Before?.Message != problem.After.Message)
            {
                yield return StatusEvent.Warning(problem.After.Reason, problem.After.Message);
            }
            else if (problem is { Before.IsTrue: true, After: null or { IsTrue: false } } && accepted.After is { IsTrue: true })
            {
                yield return StatusEvent.Normal(problem.Before.Reason, RouteMessages.Resolved(problem.Before.Message));
            }
        }
    }

    private static List<RouteParentStatus> ParentsOf(RouteParentsStatus? status) =>
        [.. (status?.Parents ?? []).Where(p => p.ControllerName == GatewayClass.KubelbController)];

    private static string GatewayOf(RouteParentStatus parent) =>
        parent.ParentRef.Namespace is { } @namespace ? $"{@namespace}/{parent.ParentRef.Name}" : parent.ParentRef.Name;
}
