using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Secrets;

namespace KubeLB.Translation.Status;

/// <summary>Translates the report of the management cluster to the status of a tenant's Gateway.</summary>
public static class GatewayStatusTranslator
{
    /// <summary>Builds the status. Fields that are not reported yet are unchanged.</summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route in the management cluster; null if there is none yet.</param>
    /// <param name="certificates">The validation of its certificates.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    /// <param name="nodes">Why the tenant has no usable node (<see cref="NodeAddressProblem"/>); null if it has one.</param>
    public static GatewayStatus Translate(
        Gateway gateway,
        Route? route,
        IReadOnlyList<ListenerCertificate> certificates,
        string now,
        Rejection? nodes = null
    )
    {
        var report = ReportedStatus.Read(route);
        var generation = gateway.Metadata.Generation ?? 0;
        var conditions = new ConditionSet(gateway.Status?.Conditions, now);
        if (report.Failure is { } failure && !report.IsServedWithoutRejectedFields)
        {
            var reason = report.FailureReason ?? GatewayConditions.Invalid;
            conditions.Set(GatewayConditions.Accepted, ConditionStatus.False, reason, failure.Message, report.FailureGeneration);
            conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, reason, failure.Message, report.FailureGeneration);
            return report.IsRejected
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
        conditions.KeepOrSetPending(GatewayConditions.Accepted, generation);
        conditions.KeepOrSetPending(GatewayConditions.Programmed, generation);
        foreach (var condition in reported?.Conditions ?? [])
        {
            conditions.SetReported(condition, report, generation);
        }

        // Envoy Gateway does not report on a Gateway of a class that it does not serve, so the condition is Unknown or outdated.
        SetNotProgrammed(report.ClassNotReady);
        if (conditions.Current(GatewayConditions.Programmed) is { IsTrue: true })
        {
            SetNotProgrammed(report.ProxiesUnavailable);
        }

        SetNotProgrammed(nodes is null ? null : new Condition { Reason = nodes.Reason, Message = nodes.Message });
        if (report.IsServedWithoutRejectedFields)
        {
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                report.PolicyReason!,
                report.Failure!.Message,
                report.FailureGeneration
            );
        }

        conditions.SetOwn(GatewayConditions.FieldsIgnored, report.FieldsIgnored, generation);
        conditions.SetOwn(GatewayConditions.DefaultExceeded, report.DefaultExceeded, generation);
        var status = new GatewayStatus
        {
            Conditions = conditions.ToList(),
            Addresses = reported is null ? gateway.Status?.Addresses : reported.Addresses,
            Listeners = Listeners(gateway, reported, report, certificates, now),
            Unknown = (reported ?? gateway.Status)?.Unknown,
        };
        InvalidListeners.AddTo(gateway, status, now);
        ReportNoListener(gateway, status, now);
        status.Conditions = ConditionPrecedence.Limit(status.Conditions ?? []);
        return status;

        // The first cause is reported.
        void SetNotProgrammed(Condition? cause)
        {
            if (cause is not null && conditions.Current(GatewayConditions.Programmed) is not { Status: ConditionStatus.False })
            {
                conditions.Set(
                    GatewayConditions.Programmed,
                    ConditionStatus.False,
                    cause.Reason,
                    cause.Message,
                    cause.ObservedGeneration ?? generation
                );
            }
        }
    }

    /// <summary>
    /// The status of a Gateway that KubeLB no longer serves, which is that of a new Gateway. Null if KubeLB did not write the existing
    /// status: then another controller serves the Gateway.
    /// </summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="route">Its Route, which is about to be deleted; null if it never had one.</param>
    /// <param name="certificates">The validation of its certificates.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    /// <param name="nodes">As in <see cref="Translate"/>.</param>
    public static GatewayStatus? Release(
        Gateway gateway,
        Route? route,
        IReadOnlyList<ListenerCertificate> certificates,
        string now,
        Rejection? nodes = null
    )
    {
        var isWrittenByKubelb = route is null
            ? InvalidListeners.IsStatusOf(gateway.Status)
            : gateway.Status is { } status
                && JsonNode.DeepEquals(Content(status), Content(Translate(gateway, route, certificates, now, nodes)));
        if (!isWrittenByKubelb)
        {
            return null;
        }

        var conditions = new ConditionSet(gateway.Status!.Conditions, now);
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.Programmed })
        {
            conditions.Set(
                type,
                ConditionStatus.Unknown,
                GatewayConditions.Pending,
                GatewayMessages.WaitingForController,
                gateway.Metadata.Generation
            );
        }

        return new GatewayStatus { Conditions = conditions.ToList() };
    }

    /// <summary>
    /// The status of a Gateway that the management cluster rejects until something changes there: no address, no listener programmed, no
    /// route attached.
    /// </summary>
    /// <param name="gateway">The tenant's Gateway.</param>
    /// <param name="rejection">Why it is rejected.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static GatewayStatus Reject(Gateway gateway, Rejection rejection, string now)
    {
        var generation = gateway.Metadata.Generation;
        return new GatewayStatus
        {
            Conditions = new ConditionSet(gateway.Status?.Conditions, now)
                .Set(GatewayConditions.Accepted, ConditionStatus.False, rejection.Reason, rejection.Message, generation)
                .Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.NoResources, rejection.Message, generation)
                .ToList(),
            Listeners = gateway.Status?.Listeners is null
                ? null
                : [.. gateway.Status.Listeners.Select(listener => Reject(listener, rejection, now, generation))],
        };
    }

    /// <summary>
    /// The rejection of <see cref="Reject(Gateway, Rejection, string)"/> if the Gateway has that status; else null.
    /// </summary>
    public static Rejection? RejectionOf(Gateway gateway) =>
        gateway.Status?.Conditions is { } conditions
        && conditions.Find(c => c.Type == GatewayConditions.Accepted) is { Status: ConditionStatus.False } accepted
        && conditions.Find(c => c.Type == GatewayConditions.Programmed)
            is { Status: ConditionStatus.False, Reason: GatewayConditions.NoResources }
            ? new Rejection(accepted.Reason, accepted.Message)
            : null;

    private static ListenerStatus Reject(ListenerStatus listener, Rejection rejection, string now, long? generation) =>
        new()
        {
            Name = listener.Name,
            SupportedKinds = listener.SupportedKinds,
            AttachedRoutes = 0,
            Conditions = new ConditionSet(listener.Conditions, now)
                .Set(GatewayConditions.Accepted, ConditionStatus.False, rejection.Reason, rejection.Message, generation)
                .Set(GatewayConditions.Programmed, ConditionStatus.False, rejection.Reason, rejection.Message, generation)
                .ToList(),
            Unknown = listener.Unknown,
        };

    // Without generations, since the CCM's own conditions may be about an older one. Without the numbers of attached routes: the routes are
    // released at the same time, and their report may arrive first.
    private static JsonObject Content(GatewayStatus status)
    {
        var content = ApiJson.Copy(status);
        foreach (var condition in (content.Conditions ?? []).Concat((content.Listeners ?? []).SelectMany(l => l.Conditions ?? [])))
        {
            condition.ObservedGeneration = null;
        }

        content.Listeners?.ForEach(listener => listener.AttachedRoutes = 0);
        return ApiJson.ToJson(content);
    }

    // Envoy Gateway does not know of listeners that only the CCM or the manager finds invalid, and reports the Gateway as programmed.
    private static void ReportNoListener(Gateway gateway, GatewayStatus status, string now)
    {
        static bool IsUnserved(ListenerStatus listener) =>
            listener.Conditions?.Exists(c => c is { Type: GatewayConditions.Programmed, Status: ConditionStatus.False }) == true;
        static bool IsPending(ListenerStatus listener) => listener.Conditions?.Exists(c => c.Status == ConditionStatus.Unknown) == true;
        if (
            status.Listeners is not { Count: > 0 } listeners
            // Some have not been reported yet.
            || listeners.Count < gateway.Spec?.Listeners?.Count
            || !listeners.TrueForAll(IsUnserved)
            || listeners.Exists(IsPending)
            || status.Conditions?.Find(c => c.Type == GatewayConditions.Programmed)
                is { Status: ConditionStatus.False, Reason: not GatewayConditions.AddressNotAssigned }
        )
        {
            return;
        }

        status.Addresses = null;
        status.Conditions = new ConditionSet(gateway.Status?.Conditions, now)
            .SetAll(status.Conditions ?? [])
            .Set(
                GatewayConditions.Programmed,
                ConditionStatus.False,
                GatewayConditions.Invalid,
                GatewayMessages.NoListenerProgrammed(ProblemOf(listeners[0]), listeners.Count > 1),
                gateway.Metadata.Generation
            )
            .ToList();
    }

    // The condition that is the cause of Programmed=False, if there is one.
    private static string ProblemOf(ListenerStatus listener)
    {
        var conditions = listener.Conditions ?? [];
        var cause =
            conditions.Find(c => c is { Type: GatewayConditions.Accepted, Status: ConditionStatus.False })
            ?? conditions.Find(c => c is { Type: GatewayConditions.ResolvedRefs, Status: ConditionStatus.False })
            ?? conditions.Find(c => c is { Type: GatewayConditions.Conflicted, IsTrue: true })
            ?? conditions.Find(c => c.Type == GatewayConditions.Programmed);
        return GatewayMessages.Listener(listener.Name, cause?.Message ?? "");
    }

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

        var specs = (gateway.Spec?.Listeners ?? []).DistinctBy(l => l.Name).ToDictionary(l => l.Name, StringComparer.Ordinal);
        return
        [
            .. listeners
                .Where(l => specs.ContainsKey(l.Name))
                .Select(listener =>
                {
                    var before = gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == listener.Name);
                    var conditions = new ConditionSet(before?.Conditions, now);
                    var own = certificates.Where(c => c.Listener == listener.Name).ToList();
                    foreach (var condition in listener.Conditions ?? [])
                    {
                        conditions.SetReported(
                            ListenerConflicts.Translate(CertificateConditions.Translate(condition, own), gateway, listener.Name),
                            report,
                            gateway.Metadata.Generation ?? 0
                        );
                    }

                    CertificateConditions.Set(conditions, own, gateway.Metadata.Generation ?? 0);
                    CertificateConditions.SetMissing(
                        conditions,
                        ListenerCertificates.MissingReference(gateway, specs[listener.Name]),
                        gateway.Metadata.Generation ?? 0
                    );
                    return new ListenerStatus
                    {
                        Name = listener.Name,
                        SupportedKinds = listener.SupportedKinds,
                        AttachedRoutes = listener.AttachedRoutes,
                        Conditions = ConditionPrecedence.Limit(conditions.ToList()),
                        Unknown = listener.Unknown,
                    };
                }),
        ];
    }
}

/// <summary>Conflicts between the listeners of a Gateway, which Envoy Gateway reports with generated names.</summary>
internal static class ListenerConflicts
{
    /// <summary>The reported condition with the tenant's listeners; other conditions are unchanged.</summary>
    public static Condition Translate(Condition reported, Gateway gateway, string name)
    {
        var listeners = gateway.Spec?.Listeners ?? [];
        if (
            reported.Reason is not (GatewayConditions.HostnameConflict or GatewayConditions.ProtocolConflict)
            || listeners.Find(l => l.Name == name) is not { } listener
        )
        {
            return reported;
        }

        var others = listeners.Where(l => l.Port == listener.Port);
        var message =
            reported.Reason == GatewayConditions.ProtocolConflict
                ? GatewayMessages.ProtocolConflict(others.Select(l => l.Name), listener.Port)
                : GatewayMessages.HostnameConflict(
                    others.Where(l => (l.Hostname ?? "") == (listener.Hostname ?? "")).Select(l => l.Name),
                    listener.Port,
                    listener.Hostname ?? ""
                );
        return reported.With(message);
    }
}

/// <summary>
/// The CCM's own conditions about a listener's certificates. The management cluster reports generated names, and does not report why a
/// certificate was not copied.
/// </summary>
internal static class CertificateConditions
{
    /// <summary>Sets the conditions of invalid certificates; replaces the reported ones.</summary>
    /// <param name="conditions">The listener's conditions as reported.</param>
    /// <param name="certificates">The validation of its certificateRefs.</param>
    /// <param name="generation">The generation of the validated Gateway.</param>
    public static void Set(ConditionSet conditions, IReadOnlyList<ListenerCertificate> certificates, long generation)
    {
        var invalid = certificates.Where(c => c.Rejection is not null).ToList();
        if (invalid.Count == 0)
        {
            return;
        }

        var problems = invalid.Select(c => SecretMessages.CertificateRef(c.Index, c.Rejection!.Message));
        if (invalid.Count < certificates.Count)
        {
            conditions.Set(
                GatewayConditions.ResolvedRefs,
                ConditionStatus.False,
                GatewayConditions.PartiallyInvalidCertificateRef,
                SecretMessages.SomeCertificatesInvalid(problems),
                generation
            );
            return;
        }

        var message = SecretMessages.NoValidCertificate(problems);
        conditions.Set(GatewayConditions.ResolvedRefs, ConditionStatus.False, invalid[0].Rejection!.Reason, message, generation);
        conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, message, generation);
    }

    /// <summary>Sets the conditions of a listener without certificateRefs; Envoy Gateway reports only Programmed.</summary>
    /// <param name="conditions">The listener's conditions as reported.</param>
    /// <param name="rejection">Why the listener has no certificate; null if it has one, or needs none.</param>
    /// <param name="generation">The generation of the validated Gateway.</param>
    public static void SetMissing(ConditionSet conditions, Rejection? rejection, long generation)
    {
        if (rejection is not null)
        {
            conditions.Set(GatewayConditions.ResolvedRefs, ConditionStatus.False, rejection.Reason, rejection.Message, generation);
            conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, rejection.Message, generation);
        }
    }

    /// <summary>A reported condition with the names of the tenant's Secrets.</summary>
    /// <param name="reported">The condition.</param>
    /// <param name="certificates">The validation of the listener's certificateRefs.</param>
    public static Condition Translate(Condition reported, IReadOnlyList<ListenerCertificate> certificates)
    {
        // Certificates that are not in the management cluster yet.
        var pending = certificates
            .Where(c => reported.Message.Contains(UnresolvedNames.For(c.Namespace, c.Name), StringComparison.Ordinal))
            .Select(c => $"{c.Namespace}/{c.Name}")
            .Distinct()
            .ToList();
        if (pending.Count == 0)
        {
            return reported;
        }

        return reported.Type == GatewayConditions.ResolvedRefs
            ? reported.With(SecretMessages.CertificatePending(pending), ConditionStatus.Unknown, GatewayConditions.Pending)
            : reported.With(SecretMessages.CertificatePending(pending));
    }
}

/// <summary>The status of a GatewayClass of KubeLB.</summary>
public static class GatewayClassStatusTranslator
{
    /// <summary>Sets <c>Accepted</c> to True and keeps the other conditions.</summary>
    public static GatewayClassStatus Translate(GatewayClass gatewayClass, string now)
    {
        var others = (gatewayClass.Status?.Conditions ?? []).Where(c => c.Type != GatewayConditions.Accepted);
        var conditions = new ConditionSet(gatewayClass.Status?.Conditions, now).Set(
            GatewayConditions.Accepted,
            ConditionStatus.True,
            GatewayConditions.Accepted,
            GatewayMessages.Accepted,
            gatewayClass.Metadata.Generation
        );
        return new GatewayClassStatus { Conditions = [.. conditions.ToList(), .. others] };
    }
}
