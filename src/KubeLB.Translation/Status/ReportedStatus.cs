using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Status;

/// <summary>
/// What the management cluster reports on a tenant's object, and the generation of the tenant's spec that each condition is about. A
/// condition that Envoy Gateway computed for an older generated object is not about the newer spec.
/// </summary>
public sealed class ReportedStatus
{
    private static readonly string[] WriteFailures =
    [
        RouteConditions.AdmissionDenied,
        RouteConditions.LimitExceeded,
        RouteConditions.PortsExhausted,
        RouteConditions.QuotaExceeded,
    ];

    private readonly RouteStatus? _status;
    private readonly GeneratedObject? _generated;
    private readonly long? _assumedGeneration;
    private readonly Func<string, string?> _originOf;

    private ReportedStatus(RouteStatus? status, long? assumedGeneration, Func<string, string?> originOf)
    {
        _status = status;
        _generated = status?.Resources?.Route;
        _assumedGeneration = assumedGeneration;
        _originOf = originOf;
    }

    /// <summary>Reads the report from a Route; without a Route or its status nothing is reported yet.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="originOf">
    /// <c>namespace/name</c> of the tenant's object by the name of an object that was generated from another Route; null if there is none.
    /// </param>
    public static ReportedStatus Read(Route? route, Func<string, string?>? originOf = null)
    {
        // The Go manager does not report generations: its report is assumed to be about the current one.
        var assumed =
            route?.Metadata.Annotations?.TryGetValue(Annotations.SourceGeneration, out var text) == true
            && long.TryParse(text, out var generation)
                ? generation
                : (long?)null;
        var resources = route?.Status?.Resources;
        return new ReportedStatus(
            route?.Status,
            assumed,
            name =>
                (resources?.Services?.Values ?? Enumerable.Empty<GeneratedObject>())
                    .Append(resources?.Route)
                    .FirstOrDefault(o => o is { Namespace.Length: > 0 } && o.GeneratedName == name)
                    is { } own
                    ? $"{own.Namespace}/{own.Name}"
                    : originOf?.Invoke(name)
        );
    }

    /// <summary>The message of a condition of Envoy Gateway, with the names of the tenant's objects.</summary>
    public string MessageOf(Condition reported) => TenantText.Translate(reported.Message, reported.Reason, _originOf);

    /// <summary>The condition that the generated object could not be written; null if it could, or nothing is reported.</summary>
    public Condition? Failure =>
        _generated?.Conditions?.FirstOrDefault(c =>
            c.Type == RouteConditions.ResourceAppliedSuccessfully && c.Status == ConditionStatus.False
        );

    /// <summary>
    /// The reason why the administrator's settings, or a field that is not supported, reject the tenant's object; null if
    /// <see cref="Failure"/> has another cause.
    /// </summary>
    public string? PolicyReason =>
        _generated?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Permitted && c.Status == ConditionStatus.False)?.Reason
            is { Length: > 0 } reason
            ? reason
            : null;

    /// <summary>
    /// The reason of <see cref="Failure"/>: <see cref="PolicyReason"/>, or why the management cluster did not store the generated object;
    /// null if it is not reported.
    /// </summary>
    public string? FailureReason => PolicyReason ?? (Failure is { } failure ? WriteFailureReason(failure.Message) : null);

    /// <summary>Why the management cluster did not store the Service of a backend; null if it stored all, or reports no reason.</summary>
    public Rejection? BackendFailure =>
        (_status?.Resources?.Services ?? [])
            .OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(s =>
                (
                    s.Key,
                    Failure: s.Value.Conditions?.Find(c =>
                        c is { Type: RouteConditions.ResourceAppliedSuccessfully, Status: ConditionStatus.False }
                    )
                )
            )
            .FirstOrDefault(s => s.Failure is not null)
            is { Failure: { } failure, Key: { } service }
        && WriteFailureReason(failure.Message) is { } reason
            ? new Rejection(reason, BackendMessages.ServiceNotApplied(service, failure.Message))
            : null;

    /// <summary>The tenant's generation that <see cref="Failure"/> is about.</summary>
    public long? FailureGeneration => Failure?.ObservedGeneration ?? _assumedGeneration;

    /// <summary>
    /// The condition of the retry annotations, with the tenant's generation; null if there are none, or nothing is reported.
    /// </summary>
    public Condition? RetryPolicy => InTenantsWords(RouteConditions.RetryPolicyApplied);

    /// <summary>The condition that fields are ignored; null if none is, or nothing is reported.</summary>
    public Condition? FieldsIgnored =>
        _generated?.Conditions?.FirstOrDefault(c => c is { Type: RouteConditions.FieldsIgnored, IsTrue: true });

    /// <summary>Why the next version will reject the object; null if it will not.</summary>
    public Condition? DefaultExceeded =>
        _generated?.Conditions?.FirstOrDefault(c => c is { Type: RouteConditions.DefaultExceeded, IsTrue: true });

    /// <summary>The condition that a proxy rejected a new backend; null if none did, or nothing is reported.</summary>
    public Condition? ProxyRejection => InTenantsWords(RouteConditions.ProxyProgrammed);

    /// <summary>The condition that no proxy of the tenant is available; null if one is, or nothing is reported.</summary>
    public Condition? ProxiesUnavailable =>
        _generated?.Conditions?.FirstOrDefault(c => c.Type == TenantProxyConditions.ProxiesAvailable && c.Status == ConditionStatus.False);

    /// <summary>
    /// The condition that no controller of the management cluster serves the Gateway's class; null if one does, or nothing is reported.
    /// </summary>
    public Condition? ClassNotReady =>
        _generated?.Conditions?.FirstOrDefault(c =>
            c.Type == GatewayClassConditions.GatewayClassReady && c.Status == ConditionStatus.False
        );

    /// <summary>Whether the Route is rejected and has no generated object; after other failures the older object is kept.</summary>
    public bool IsRejected => Failure is not null && string.IsNullOrEmpty(_generated?.GeneratedName);

    /// <summary>
    /// Whether the object is rejected because of fields that are not supported, but is still served without them.
    /// </summary>
    public bool IsServedWithoutRejectedFields => Failure is not null && PolicyReason is not null && !IsRejected;

    /// <summary>The generated Gateway's status; null if there is none, or it is invalid.</summary>
    public GatewayStatus? Gateway => Read<GatewayStatus>();

    /// <summary>The generated route's status; null if there is none, or it is invalid.</summary>
    public RouteParentsStatus? RouteParents => Read<RouteParentsStatus>();

    /// <summary>
    /// The generation of the tenant's spec that a reported condition was computed for; null if it was computed for an older generated
    /// object.
    /// </summary>
    public long? SourceGenerationOf(Condition reported)
    {
        if (_generated is not { SourceGeneration: { } source, Generation: { } generated })
        {
            return reported.ObservedGeneration is null ? null : _assumedGeneration;
        }

        return reported.ObservedGeneration >= generated ? source : null;
    }

    /// <summary>Whether the report has the generations that the conditions are compared with; that of a Go manager has not.</summary>
    public bool HasGenerations => _generated is { SourceGeneration: not null, Generation: not null };

    // The contract's condition has one reason for all failures. The summary has the reason of the first, with the same message.
    private string? WriteFailureReason(string message)
    {
        var summary = _status?.Conditions?.Find(c => c is { Type: RouteConditions.Accepted, Status: ConditionStatus.False });
        return summary is null || summary.Message != message ? null
            : summary.Reason == RouteConditions.InstallationFailed ? GatewayConditions.ManagementClusterRejected
            : WriteFailures.Contains(summary.Reason) ? summary.Reason
            : null;
    }

    // The manager adds the words of Envoy Gateway, or of Envoy, to its own.
    private Condition? InTenantsWords(string type) =>
        _generated?.Conditions?.FirstOrDefault(c => c.Type == type) is { } condition ? condition.With(MessageOf(condition)) : null;

    private T? Read<T>()
        where T : class
    {
        try
        {
            return _generated?.Status is { } status ? ApiJson.Read<T>(status) : null;
        }
        catch (JsonException)
        {
            // Not a valid status of Gateway API; it is ignored.
            return null;
        }
    }
}

/// <summary>Copies reported conditions to a tenant's status.</summary>
internal static class ReportedConditions
{
    /// <summary>A copy of a reported condition with another message; also with another status and reason, unless they are null.</summary>
    public static Condition With(this Condition reported, string message, string? status = null, string? reason = null) =>
        new()
        {
            Type = reported.Type,
            Status = status ?? reported.Status,
            Reason = reason ?? reported.Reason,
            Message = message,
            ObservedGeneration = reported.ObservedGeneration,
        };

    /// <summary>
    /// Sets the condition as reported if it is about a known generation. Else Envoy Gateway has not observed the generated object, and the
    /// condition is Unknown: the manager reports this only if it takes longer than usual.
    /// </summary>
    public static void SetReported(this ConditionSet conditions, Condition reported, ReportedStatus report, long currentGeneration)
    {
        if (report.SourceGenerationOf(reported) is { } generation)
        {
            conditions.Set(
                reported.Type,
                reported.Status,
                reported.Reason,
                RouteMessages.WithRemedy(reported.Reason, report.MessageOf(reported)),
                generation
            );
        }
        else if (report.HasGenerations)
        {
            conditions.Set(
                reported.Type,
                ConditionStatus.Unknown,
                GatewayConditions.Pending,
                GatewayMessages.NotProcessed,
                currentGeneration
            );
        }
        else
        {
            conditions.KeepOrSetPending(reported.Type, currentGeneration);
        }
    }

    /// <summary>Sets KubeLB's own condition as reported, under the name that it has in the tenant's cluster.</summary>
    public static void SetOwn(this ConditionSet conditions, string type, Condition? reported, long currentGeneration)
    {
        if (reported is not null)
        {
            conditions.Set(type, reported.Status, reported.Reason, reported.Message, reported.ObservedGeneration ?? currentGeneration);
        }
    }

    /// <summary>Keeps the existing condition; sets it to Unknown for the current generation if there is none.</summary>
    public static void KeepOrSetPending(this ConditionSet conditions, string type, long currentGeneration)
    {
        if (!conditions.Keep(type))
        {
            conditions.Set(type, ConditionStatus.Unknown, GatewayConditions.Pending, GatewayMessages.WaitingForReport, currentGeneration);
        }
    }
}
