using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Status;

/// <summary>
/// The status of invalid listeners. They are not synced to the management cluster, so the CCM reports on them itself.
/// </summary>
public static class InvalidListeners
{
    /// <summary>Whether the Gateway has listeners, and none of them is valid.</summary>
    public static bool AreAll(Gateway gateway) =>
        ListenerValidation.Evaluate(gateway) is { Count: > 0 } listeners && !listeners.Any(v => v.IsValid);

    /// <summary>The status of a Gateway without a valid listener.</summary>
    /// <param name="gateway">The Gateway.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Status(Gateway gateway, string now)
    {
        var generation = gateway.Metadata.Generation ?? 0;
        var validations = ListenerValidation.Evaluate(gateway);
        var message = validations.FirstOrDefault(v => !v.IsValid) is { } first
            ? GatewayMessages.NoListenerIsValid(
                GatewayMessages.Listener(first.Listener.Name, first.Errors[^1].Message),
                validations.Count > 1
            )
            : GatewayMessages.NoListenerValid;
        var conditions = new ConditionSet(gateway.Status?.Conditions, now)
            .Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.ListenersNotValid, message, generation)
            .Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, message, generation);
        return new GatewayStatus
        {
            Conditions = conditions.ToList(),
            Listeners = [.. validations.Select(validation => Status(gateway, validation, now))],
        };
    }

    /// <summary>Whether a status is one of <see cref="Status(Gateway, string)"/>, regardless of its generation.</summary>
    public static bool IsStatusOf(GatewayStatus? status) =>
        status?.Conditions?.Any(c =>
            c.Type == GatewayConditions.Accepted
            && c.Reason == GatewayConditions.ListenersNotValid
            && c.Message.StartsWith(GatewayMessages.NoListenerValid, StringComparison.Ordinal)
        ) == true;

    /// <summary>Adds the invalid listeners to a status that has the valid ones.</summary>
    /// <param name="gateway">The Gateway, with its existing status.</param>
    /// <param name="status">The new status; modified.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    internal static GatewayStatus AddTo(Gateway gateway, GatewayStatus status, string now)
    {
        var validations = ListenerValidation.Evaluate(gateway);
        var invalid = validations.Where(v => !v.IsValid).ToDictionary(v => v.Listener.Name, StringComparer.Ordinal);
        if (invalid.Count == 0)
        {
            return status;
        }

        var others = (status.Listeners ?? []).Where(l => !invalid.ContainsKey(l.Name)).ToDictionary(l => l.Name, StringComparer.Ordinal);
        status.Listeners =
        [
            .. validations
                .Select(v => invalid.ContainsKey(v.Listener.Name) ? Status(gateway, v, now) : others.GetValueOrDefault(v.Listener.Name))
                .OfType<ListenerStatus>(),
        ];
        if (status.Conditions?.Find(c => c is { Type: GatewayConditions.Accepted, IsTrue: true }) is { } accepted)
        {
            // Gateway API's reason for a Gateway that is accepted although some of its listeners are invalid.
            status.Conditions = new ConditionSet(status.Conditions, now)
                .SetAll(status.Conditions)
                .Set(
                    GatewayConditions.Accepted,
                    ConditionStatus.True,
                    GatewayConditions.ListenersNotValid,
                    GatewayMessages.SomeListenersInvalid(invalid.Keys),
                    accepted.ObservedGeneration
                )
                .ToList();
        }

        return status;
    }

    private static ListenerStatus Status(Gateway gateway, ListenerValidation validation, string now)
    {
        var before = gateway.Status?.Listeners?.Find(l => l.Name == validation.Listener.Name);
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(before?.Conditions, now);
        foreach (var error in validation.Errors)
        {
            conditions.Set(error.Condition, ConditionStatus.False, error.Reason, error.Message, generation);
        }

        if (validation.Errors.All(r => r.Condition != GatewayConditions.Programmed))
        {
            conditions.Set(
                GatewayConditions.Programmed,
                ConditionStatus.False,
                GatewayConditions.Invalid,
                GatewayMessages.ListenerInvalid,
                generation
            );
        }

        if (validation.Errors.All(r => r.Condition != GatewayConditions.ResolvedRefs))
        {
            conditions.Set(
                GatewayConditions.ResolvedRefs,
                ConditionStatus.True,
                GatewayConditions.ResolvedRefs,
                GatewayMessages.ListenerRefsResolved,
                generation
            );
        }

        return new ListenerStatus
        {
            Name = validation.Listener.Name,
            SupportedKinds =
            [
                .. validation.SupportedKinds.Select(kind => new RouteGroupKind { Group = ApiGroups.GatewayApi, Kind = kind }),
            ],
            AttachedRoutes = 0,
            Conditions = conditions.ToList(),
        };
    }
}
