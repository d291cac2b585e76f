using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.Secrets;

namespace KubeLB.Translation.Status;

/// <summary>The management side's report → the status of a tenant's Gateway.</summary>
public static class GatewayStatusTranslator
{
    /// <summary>The whole status; what is not known yet stays as it is.</summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route in the management cluster; null if there is none yet.</param>
    /// <param name="certificates">The verdicts on its certificates.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Translate(Gateway gateway, Route? route, IReadOnlyList<ListenerCertificate> certificates, string now)
    {
        var report = ReportedStatus.Of(route);
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(gateway.Status?.Conditions, now);

        if (report.Failure is { } failure)
        {
            var reason = report.NotPermitted ?? GatewayConditions.Invalid;
            conditions.Set(GatewayConditions.Accepted, ConditionStatus.False, reason, failure.Message, report.FailureGeneration);
            conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, reason, failure.Message, report.FailureGeneration);
            return report.IsRefused
                ? new GatewayStatus { Conditions = conditions.ToList() }
                : new GatewayStatus
                {
                    Conditions = conditions.ToList(),
                    Addresses = gateway.Status?.Addresses,
                    Listeners = gateway.Status?.Listeners,
                    Unknown = gateway.Status?.Unknown,
                };
        }

        var reported = report.Gateway;
        conditions.KeepOrPending(GatewayConditions.Accepted, generation);
        conditions.KeepOrPending(GatewayConditions.Programmed, generation);
        foreach (var condition in reported?.Conditions ?? [])
        {
            conditions.Carry(condition, report, generation);
        }

        if (
            report.ProxiesUnavailable is { } unavailable
            && conditions.ToList().Exists(c => c is { Type: GatewayConditions.Programmed, IsTrue: true })
        )
        {
            conditions.Set(
                GatewayConditions.Programmed,
                unavailable.Status,
                unavailable.Reason,
                unavailable.Message,
                unavailable.ObservedGeneration ?? generation
            );
        }

        var status = new GatewayStatus
        {
            Conditions = conditions.ToList(),
            Addresses = reported is null ? gateway.Status?.Addresses : reported.Addresses,
            Listeners = Listeners(gateway, reported, report, certificates, now),
            Unknown = (reported ?? gateway.Status)?.Unknown,
        };
        return InvalidListeners.AddTo(gateway, status, now);
    }

    /// <summary>
    /// The status of a Gateway that is no longer ours: what a Gateway has before any controller spoke. Null if the status is not
    /// what we wrote: then somebody else speaks for the Gateway already.
    /// </summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route, which is about to go; null if it never had one.</param>
    /// <param name="certificates">The verdicts on its certificates.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus? Release(Gateway gateway, Route? route, IReadOnlyList<ListenerCertificate> certificates, string now)
    {
        var isOurs = route is null
            ? InvalidListeners.Wrote(gateway.Status)
            : gateway.Status is { } status && JsonNode.DeepEquals(Contents(status), Contents(Translate(gateway, route, certificates, now)));
        if (!isOurs)
        {
            return null;
        }

        var conditions = new ConditionSet(gateway.Status!.Conditions, now);
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.Programmed })
        {
            conditions.Set(type, ConditionStatus.Unknown, GatewayConditions.Pending, "Waiting for controller", gateway.Metadata.Generation);
        }

        return new GatewayStatus { Conditions = conditions.ToList() };
    }

    // Without generations: what the CCM says by itself it said of an older one. And without the numbers of routes: those are released at
    // the same time, and the report of their going may be here before the status that it leads to.
    private static JsonObject Contents(GatewayStatus status)
    {
        var contents = ApiJson.Copy(status);
        foreach (var condition in (contents.Conditions ?? []).Concat((contents.Listeners ?? []).SelectMany(l => l.Conditions ?? [])))
        {
            condition.ObservedGeneration = null;
        }

        contents.Listeners?.ForEach(listener => listener.AttachedRoutes = 0);
        return ApiJson.ToJson(contents);
    }

    /// <summary>
    /// The status of a Gateway of which there is nothing in the management cluster, and cannot be until somebody changes something
    /// there: no address, no listener in force, no route attached.
    /// </summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="why">What is wrong, and what to do.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Refuse(Gateway gateway, string why, string now)
    {
        var generation = gateway.Metadata.Generation;
        return new GatewayStatus
        {
            Conditions = new ConditionSet(gateway.Status?.Conditions, now)
                .Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.Pending, why, generation)
                .Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.NoResources, why, generation)
                .ToList(),
            Listeners = gateway.Status?.Listeners is null
                ? null
                : [.. gateway.Status.Listeners.Select(listener => Refuse(listener, why, now, generation))],
        };
    }

    /// <summary>
    /// The sentence of <see cref="Refuse(Gateway, string, string)"/> if that is how the Gateway's status stands; else null.
    /// </summary>
    public static string? RefusalOf(Gateway gateway) =>
        gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == GatewayConditions.Programmed)
            is { Status: ConditionStatus.False, Reason: GatewayConditions.NoResources } refusal
            ? refusal.Message
            : null;

    private static ListenerStatus Refuse(ListenerStatus listener, string why, string now, long? generation) =>
        new()
        {
            Name = listener.Name,
            SupportedKinds = listener.SupportedKinds,
            AttachedRoutes = 0,
            Conditions = new ConditionSet(listener.Conditions, now)
                .Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.Pending, why, generation)
                .Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Pending, why, generation)
                .ToList(),
            Unknown = listener.Unknown,
        };

    private static List<ListenerStatus>? Listeners(
        Gateway gateway,
        GatewayStatus? reported,
        ReportedStatus report,
        IReadOnlyList<ListenerCertificate> certificates,
        string now
    )
    {
        if (reported?.Listeners is not { } listeners)
        {
            return gateway.Status?.Listeners;
        }

        var names = (gateway.Spec?.Listeners ?? []).Select(l => l.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. listeners
                .Where(l => names.Contains(l.Name))
                .Select(listener =>
                {
                    var before = gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == listener.Name);
                    var conditions = new ConditionSet(before?.Conditions, now);
                    var own = certificates.Where(c => c.Listener == listener.Name).ToList();
                    foreach (var condition in listener.Conditions ?? [])
                    {
                        conditions.Carry(CertificateConditions.InTenantsNames(condition, own), report, gateway.Metadata.Generation ?? 0);
                    }

                    CertificateConditions.Apply(conditions, own, gateway.Metadata.Generation ?? 0);

                    return new ListenerStatus
                    {
                        Name = listener.Name,
                        SupportedKinds = listener.SupportedKinds,
                        AttachedRoutes = listener.AttachedRoutes,
                        Conditions = conditions.ToList(),
                        Unknown = listener.Unknown,
                    };
                }),
        ];
    }
}
