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
    public static IReadOnlyList<StatusEvent> Between(GatewayStatus? before, GatewayStatus? after)
    {
        var ofListeners = (after?.Listeners ?? []).SelectMany(l => OfListener(l, before?.Listeners?.Find(b => b.Name == l.Name))).ToList();

        // The Gateway's message has the problem of its first listener, which has an Event of its own.
        var start = GatewayMessages.Listener(after?.Listeners?.FirstOrDefault()?.Name ?? "", "");
        var ofFirst = ofListeners.Where(e => e.IsWarning && e.Message.StartsWith(start, StringComparison.Ordinal)).ToList();
        return
        [
            .. OfGateway(before, after)
                .Where(e => !e.IsWarning || !ofFirst.Exists(listener => e.Message.Contains(listener.Message, StringComparison.Ordinal)))
                .Concat(ofListeners)
                .Distinct(),
        ];
    }

    private static IEnumerable<StatusEvent> OfGateway(GatewayStatus? before, GatewayStatus? after)
    {
        var accepted = ConditionChange.Of(GatewayConditions.Accepted, before?.Conditions, after?.Conditions);
        if (accepted is { BecameTrue: true, WasUnprocessed: false })
        {
            yield return StatusEvent.Normal(GatewayConditions.Accepted, GatewayMessages.Accepted);
        }
        else if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }
        else if (
            accepted is { Before.Status: not ConditionStatus.Unknown, After.Status: ConditionStatus.Unknown }
            && accepted.After.Message == GatewayMessages.WaitingForController
        )
        {
            yield return StatusEvent.Normal(StatusEvent.Released, GatewayMessages.Released);
        }

        var programmed = ConditionChange.Of(GatewayConditions.Programmed, before?.Conditions, after?.Conditions);
        var addresses = Addresses(after);
        if (
            addresses.Count > 0
            && programmed.After is { IsTrue: true }
            && (programmed is { BecameTrue: true, WasUnprocessed: false } || !addresses.SequenceEqual(Addresses(before)))
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
            else if (change is { Before.IsTrue: true, After: null })
            {
                yield return StatusEvent.Normal(change.Before.Reason, RouteMessages.Resolved(change.Before.Message));
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
            else if (change.BecameTrue && (change.Before is { Status: ConditionStatus.False } || IsPendingCertificate(change.Before)))
            {
                yield return StatusEvent.Normal(type, GatewayMessages.ListenerRecovered(listener.Name));
            }
        }

        var conflicted = ConditionChange.Of(GatewayConditions.Conflicted, before?.Conditions, listener.Conditions);
        if (conflicted.BecameTrue)
        {
            yield return StatusEvent.Warning(conflicted.After!.Reason, GatewayMessages.Listener(listener.Name, conflicted.After.Message));
        }
        else if (conflicted is { Before.IsTrue: true, After: null or { IsTrue: false } })
        {
            yield return StatusEvent.Normal(GatewayConditions.Conflicted, GatewayMessages.ListenerRecovered(listener.Name));
        }
    }

    // A certificate is copied after it was created, often because it had been missing.
    private static bool IsPendingCertificate(Condition? condition) =>
        condition?.Message.StartsWith(SecretMessages.CertificatePendingStart, StringComparison.Ordinal) == true;

    private static List<string> Addresses(GatewayStatus? status) => [.. (status?.Addresses ?? []).Select(a => a.Value ?? "")];
}
