using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>
/// The part of a Gateway's status that speaks of listeners which are not carried. The management side does not know them, so the CCM says
/// itself what is wrong with them.
/// </summary>
public static class InvalidListeners
{
    private const string NoneIsCarried = "No listener of this Gateway can be served, see the conditions of each.";

    /// <summary>Whether the Gateway has listeners, and none of them is carried.</summary>
    public static bool IsAll(Gateway gateway) => ListenerVerdict.Of(gateway) is { Count: > 0 } verdicts && !verdicts.Any(v => v.IsCarried);

    /// <summary>The status of a Gateway of which no listener is carried.</summary>
    /// <param name="gateway">The Gateway.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Status(Gateway gateway, string now)
    {
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(gateway.Status?.Conditions, now)
            .Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.ListenersNotValid, NoneIsCarried, generation)
            .Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, NoneIsCarried, generation);
        return new GatewayStatus
        {
            Conditions = conditions.ToList(),
            Listeners = [.. ListenerVerdict.Of(gateway).Select(verdict => Status(gateway, verdict, now))],
        };
    }

    /// <summary>Whether a status is one of <see cref="Status(Gateway, string)"/>, of whatever generation.</summary>
    public static bool Wrote(GatewayStatus? status) =>
        status?.Conditions?.Any(c =>
            c.Type == GatewayConditions.Accepted && c.Reason == GatewayConditions.ListenersNotValid && c.Message == NoneIsCarried
        ) == true;

    /// <summary>Adds the listeners that are not carried to a status that speaks of the others.</summary>
    /// <param name="gateway">The Gateway, with its status as it stands.</param>
    /// <param name="status">The status to come.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    internal static GatewayStatus AddTo(Gateway gateway, GatewayStatus status, string now)
    {
        var verdicts = ListenerVerdict.Of(gateway);
        var refused = verdicts.Where(v => !v.IsCarried).ToDictionary(v => v.Listener.Name, StringComparer.Ordinal);
        if (refused.Count == 0)
        {
            return status;
        }

        var others = (status.Listeners ?? []).Where(l => !refused.ContainsKey(l.Name)).ToDictionary(l => l.Name, StringComparer.Ordinal);
        status.Listeners =
        [
            .. verdicts
                .Select(v => refused.ContainsKey(v.Listener.Name) ? Status(gateway, v, now) : others.GetValueOrDefault(v.Listener.Name))
                .OfType<ListenerStatus>(),
        ];
        if (status.Conditions?.Find(c => c is { Type: GatewayConditions.Accepted, IsTrue: true }) is { } accepted)
        {
            // Gateway API's reason for a Gateway that is served but for some of its listeners.
            status.Conditions = new ConditionSet(status.Conditions, now)
                .SetAll(status.Conditions)
                .Set(
                    GatewayConditions.Accepted,
                    ConditionStatus.True,
                    GatewayConditions.ListenersNotValid,
                    $"The Gateway is accepted, but for listeners that cannot be served, see their conditions: {string.Join(", ", refused.Keys)}.",
                    accepted.ObservedGeneration
                )
                .ToList();
        }

        return status;
    }

    private static ListenerStatus Status(Gateway gateway, ListenerVerdict verdict, string now)
    {
        var before = gateway.Status?.Listeners?.Find(l => l.Name == verdict.Listener.Name);
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(before?.Conditions, now);
        foreach (var refusal in verdict.Refusals)
        {
            conditions.Set(refusal.Condition, ConditionStatus.False, refusal.Reason, refusal.Message, generation);
        }

        if (verdict.Refusals.All(r => r.Condition != GatewayConditions.Programmed))
        {
            conditions.Set(
                GatewayConditions.Programmed,
                ConditionStatus.False,
                GatewayConditions.Invalid,
                "Listener is invalid, see other Conditions for details.",
                generation
            );
        }

        if (verdict.Refusals.All(r => r.Condition != GatewayConditions.ResolvedRefs))
        {
            conditions.Set(
                GatewayConditions.ResolvedRefs,
                ConditionStatus.True,
                GatewayConditions.ResolvedRefs,
                "Listener references have been resolved",
                generation
            );
        }

        return new ListenerStatus
        {
            Name = verdict.Listener.Name,
            SupportedKinds = [.. verdict.SupportedKinds.Select(kind => new RouteGroupKind { Group = ApiGroups.GatewayApi, Kind = kind })],
            AttachedRoutes = 0,
            Conditions = conditions.ToList(),
        };
    }
}
