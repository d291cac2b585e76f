using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Events;

/// <summary>The Events about a change of a Gateway's status.</summary>
public static class GatewayStatusEvents
{
    /// <summary>The distinct Events of a change; none if only generations, times and numbers of routes changed.</summary>
    /// <param name="before">The status before; null if there was none.</param>
    /// <param name="after">The status as written.</param>
    public static IReadOnlyList<StatusEvent> Between(GatewayStatus? before, GatewayStatus? after) =>
        [
            .. OfGateway(before, after)
                .Concat((after?.Listeners ?? []).SelectMany(l => OfListener(l, before?.Listeners?.Find(b => b.Name == l.Name))))
                .Distinct(),
        ];

    private static IEnumerable<StatusEvent> OfGateway(GatewayStatus? before, GatewayStatus? after)
    {
        var accepted = ConditionChange.Of(GatewayConditions.Accepted, before?.Conditions, after?.Conditions);
        if (accepted.BecameTrue)
        {
            yield return StatusEvent.Normal(GatewayConditions.Accepted, GatewayMessages.Accepted);
        }
        else if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }
        else if (accepted is { Before.Status: not ConditionStatus.Unknown, After.Status: ConditionStatus.Unknown })
        {
            yield return StatusEvent.Normal(StatusEvent.Released, GatewayMessages.Released);
        }

        var programmed = ConditionChange.Of(GatewayConditions.Programmed, before?.Conditions, after?.Conditions);
        var addresses = Addresses(after);
        if (
            addresses.Count > 0
            && programmed.After is { IsTrue: true }
            && (programmed.BecameTrue || !addresses.SequenceEqual(Addresses(before)))
        )
        {
            yield return StatusEvent.Normal(GatewayConditions.Programmed, GatewayMessages.Reachable(addresses));
        }
        else if (programmed.Failed && programmed.After!.Message != accepted.After?.Message)
        {
            yield return StatusEvent.Warning(programmed.After.Reason, programmed.After.Message);
        }

        foreach (var type in new[] { GatewayConditions.FieldsIgnored, GatewayConditions.DefaultExceeded })
        {
            var change = ConditionChange.Of(type, before?.Conditions, after?.Conditions);
            if (change.After is { IsTrue: true } && change.Before?.Message != change.After.Message)
            {
                yield return StatusEvent.Warning(change.After.Reason, change.After.Message);
            }
        }
    }

    // A listener's condition Programmed follows from these conditions, so a change of Programmed causes no Event of its own.
    private static IEnumerable<StatusEvent> OfListener(ListenerStatus listener, ListenerStatus? before)
    {
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.ResolvedRefs })
        {
            var change = ConditionChange.Of(type, before?.Conditions, listener.Conditions);
            if (change.BecameFalse)
            {
                yield return StatusEvent.Warning(change.After!.Reason, GatewayMessages.Listener(listener.Name, change.After.Message));
            }
        }

        var conflicted = ConditionChange.Of(GatewayConditions.Conflicted, before?.Conditions, listener.Conditions);
        if (conflicted.BecameTrue)
        {
            yield return StatusEvent.Warning(conflicted.After!.Reason, GatewayMessages.Listener(listener.Name, conflicted.After.Message));
        }
    }

    private static List<string> Addresses(GatewayStatus? status) => [.. (status?.Addresses ?? []).Select(a => a.Value ?? "")];
}
