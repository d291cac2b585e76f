using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Events;

/// <summary>What a change of a Gateway's status tells people.</summary>
public static class GatewayStatusEvents
{
    // While it comes up, a Gateway is not programmed yet; that is no news.
    private static readonly string[] OnItsWay = [GatewayConditions.Pending, "AddressNotAssigned", "NoResources"];

    /// <summary>The Events of a change, each once; none if nothing changed but generations, times and counts of routes.</summary>
    /// <param name="before">The status as it stood; null if there was none.</param>
    /// <param name="after">The status as it was written.</param>
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
            yield return StatusEvent.Normal(GatewayConditions.Accepted, "Accepted by KubeLB.");
        }
        else if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }
        else if (accepted is { Before.Status: not ConditionStatus.Unknown, After.Status: ConditionStatus.Unknown })
        {
            yield return StatusEvent.Normal(StatusEvent.Released, "No longer served by KubeLB.");
        }

        var programmed = ConditionChange.Of(GatewayConditions.Programmed, before?.Conditions, after?.Conditions);
        var addresses = Addresses(after);
        if (addresses.Length > 0 && programmed.After is { IsTrue: true } && (programmed.BecameTrue || addresses != Addresses(before)))
        {
            yield return StatusEvent.Normal(GatewayConditions.Programmed, $"Reachable at {addresses}.");
        }
        else if (
            programmed.BecameFalse
            && programmed.After!.Message != accepted.After?.Message
            && (programmed.Before is { IsTrue: true } || !OnItsWay.Contains(programmed.After.Reason))
        )
        {
            yield return StatusEvent.Warning(programmed.After.Reason, programmed.After.Message);
        }
    }

    // Programmed only follows from these.
    private static IEnumerable<StatusEvent> OfListener(ListenerStatus listener, ListenerStatus? before)
    {
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.ResolvedRefs })
        {
            var change = ConditionChange.Of(type, before?.Conditions, listener.Conditions);
            if (change.BecameFalse)
            {
                yield return StatusEvent.Warning(change.After!.Reason, $"Listener {listener.Name}: {change.After.Message}");
            }
        }

        var conflicted = ConditionChange.Of("Conflicted", before?.Conditions, listener.Conditions);
        if (conflicted.BecameTrue)
        {
            yield return StatusEvent.Warning(conflicted.After!.Reason, $"Listener {listener.Name}: {conflicted.After.Message}");
        }
    }

    private static string Addresses(GatewayStatus? status) => string.Join(", ", (status?.Addresses ?? []).Select(a => a.Value));
}
