using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;

namespace KubeLB.Translation.Events;

/// <summary>What a change of an HTTPRoute's or GRPCRoute's status tells people.</summary>
public static class RouteStatusEvents
{
    /// <summary>The Events of a change, each once; none if nothing changed but generations and times.</summary>
    /// <param name="before">The status as it stood; null if there was none.</param>
    /// <param name="after">The status as it was written.</param>
    public static IReadOnlyList<StatusEvent> Between(RouteParentsStatus? before, RouteParentsStatus? after)
    {
        var old = Ours(before);
        var now = Ours(after);
        var events = now.SelectMany(parent => Changes(parent, old.Find(p => p.ParentRef.IsSameAs(parent.ParentRef))));
        var released = old.Where(parent => !now.Exists(p => p.ParentRef.IsSameAs(parent.ParentRef)))
            .Select(parent =>
                StatusEvent.Normal(StatusEvent.Released, $"{Name(parent)} no longer concerns this route: it is not served there.")
            );
        return [.. events.Concat(released).Distinct()];
    }

    private static IEnumerable<StatusEvent> Changes(RouteParentStatus parent, RouteParentStatus? before)
    {
        var accepted = ConditionChange.Of(GatewayConditions.Accepted, before?.Conditions, parent.Conditions);
        if (accepted.BecameTrue)
        {
            yield return StatusEvent.Normal(GatewayConditions.Accepted, $"Attached to {Name(parent)}.");
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
        else if (resolved is { BecameTrue: true, Before.Status: ConditionStatus.False })
        {
            yield return StatusEvent.Normal(GatewayConditions.ResolvedRefs, "All references resolve.");
        }

        var retries = ConditionChange.Of(GatewayConditions.RetryPolicyApplied, before?.Conditions, parent.Conditions);
        if (retries.BecameFalse)
        {
            yield return StatusEvent.Warning(retries.After!.Reason, retries.After.Message);
        }
        else if (retries is { BecameTrue: true, Before.Status: ConditionStatus.False })
        {
            yield return StatusEvent.Normal(GatewayConditions.Accepted, $"Retries: {retries.After!.Message}");
        }

        var proxies = ConditionChange.Of(GatewayConditions.ProxyProgrammed, before?.Conditions, parent.Conditions);
        if (proxies.BecameFalse)
        {
            yield return StatusEvent.Warning(proxies.After!.Reason, proxies.After.Message);
        }
        else if (proxies is { Before.Status: ConditionStatus.False, After: null })
        {
            yield return StatusEvent.Normal(StatusEvent.ProxiesTakeIt, StatusEvent.ProxiesTakeItAgain);
        }

        // The one condition of Gateway API's that is bad news when it is True.
        var partial = ConditionChange.Of(GatewayConditions.PartiallyInvalid, before?.Conditions, parent.Conditions);
        if (partial.After is { IsTrue: true } && partial.Before?.Message != partial.After.Message)
        {
            yield return StatusEvent.Warning(partial.After.Reason, partial.After.Message);
        }
    }

    private static List<RouteParentStatus> Ours(RouteParentsStatus? status) =>
        [.. (status?.Parents ?? []).Where(p => p.ControllerName == GatewayClass.KubelbController)];

    private static string Name(RouteParentStatus parent) =>
        parent.ParentRef.Namespace is { } @namespace ? $"Gateway {@namespace}/{parent.ParentRef.Name}" : $"Gateway {parent.ParentRef.Name}";
}
