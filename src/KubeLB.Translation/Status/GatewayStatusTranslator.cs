using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
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
            return report.IsRefused
                ? new GatewayStatus { Conditions = conditions.ToList() }
                : new GatewayStatus { Conditions = conditions.ToList(), Addresses = gateway.Status?.Addresses, Listeners = gateway.Status?.Listeners, Unknown = gateway.Status?.Unknown };
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

    /// <summary>
    /// The status of a Gateway that is no longer ours: what a Gateway has before any controller spoke. Null if the status is not
    /// what we wrote: then somebody else speaks for the Gateway already.
    /// </summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route, which is about to go.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus? Release(Gateway gateway, Route route, string now)
    {
        if (gateway.Status is null || !JsonNode.DeepEquals(ApiJson.ToJson(gateway.Status), ApiJson.ToJson(Translate(gateway, route, now))))
        {
            return null;
        }

        var conditions = new ConditionSet(gateway.Status.Conditions, now);
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.Programmed })
        {
            conditions.Set(type, ConditionStatus.Unknown, GatewayConditions.Pending, "Waiting for controller", gateway.Metadata.Generation);
        }

        return new GatewayStatus { Conditions = conditions.ToList() };
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
