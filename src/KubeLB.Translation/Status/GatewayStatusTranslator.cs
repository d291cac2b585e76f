using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>The management side's report → the status of a tenant's Gateway.</summary>
public static class GatewayStatusTranslator
{
    /// <summary>The whole status; what is not known yet stays as it is.</summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route in the management cluster; null if there is none yet.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Translate(Gateway gateway, Route? route, string now)
    {
        var report = ReportedStatus.Of(route);
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(gateway.Status?.Conditions, now);

        if (report.Failure is { } failure)
        {
            conditions.Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.Invalid, failure.Message, report.FailureGeneration);
            conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, failure.Message, report.FailureGeneration);
            return new GatewayStatus { Conditions = conditions.ToList(), Addresses = gateway.Status?.Addresses, Listeners = gateway.Status?.Listeners, Unknown = gateway.Status?.Unknown };
        }

        var reported = report.Gateway;
        conditions.KeepOrPending(GatewayConditions.Accepted, generation);
        conditions.KeepOrPending(GatewayConditions.Programmed, generation);
        foreach (var condition in reported?.Conditions ?? [])
        {
            conditions.Carry(condition, report, generation);
        }

        return new GatewayStatus
        {
            Conditions = conditions.ToList(),
            Addresses = reported is null ? gateway.Status?.Addresses : reported.Addresses,
            Listeners = Listeners(gateway, reported, report, now),
            Unknown = (reported ?? gateway.Status)?.Unknown,
        };
    }

    private static List<ListenerStatus>? Listeners(Gateway gateway, GatewayStatus? reported, ReportedStatus report, string now)
    {
        if (reported?.Listeners is not { } listeners)
        {
            return gateway.Status?.Listeners;
        }

        var names = (gateway.Spec?.Listeners ?? []).Select(l => l.Name).ToHashSet(StringComparer.Ordinal);
        return [.. listeners.Where(l => names.Contains(l.Name)).Select(listener =>
        {
            var before = gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == listener.Name);
            var conditions = new ConditionSet(before?.Conditions, now);
            foreach (var condition in listener.Conditions ?? [])
            {
                conditions.Carry(condition, report, gateway.Metadata.Generation ?? 0);
            }

            return new ListenerStatus
            {
                Name = listener.Name,
                SupportedKinds = listener.SupportedKinds,
                AttachedRoutes = listener.AttachedRoutes,
                Conditions = conditions.ToList(),
                Unknown = listener.Unknown,
            };
        })];
    }
}
