using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.Status;

/// <summary>Everything that the status of a Route is built from.</summary>
/// <param name="Route">The Route, with its existing status.</param>
/// <param name="Translation">The result of translating it.</param>
public sealed record RouteOutcome(Route Route, EnvoyGatewayTranslation Translation)
{
    /// <summary>The generated object as applied; null if it was not applied.</summary>
    public AppliedObject? Generated { get; init; }

    /// <summary>The Services as applied, by <see cref="GeneratedServicePlan.Key"/>.</summary>
    public IReadOnlyDictionary<string, AppliedObject> Services { get; init; } = new Dictionary<string, AppliedObject>();

    /// <summary>The retry policy as applied; null if it was not applied.</summary>
    public AppliedObject? RetryPolicy { get; init; }

    /// <summary>Why the generated object was not applied although it is valid: a proxy rejected a new backend. Null if none did.</summary>
    public ProxyRejection? ProxyRejection { get; init; }

    /// <summary>The Tenant; null if there is none.</summary>
    public Tenant? Tenant { get; init; }

    /// <summary>Why no controller serves the tenant's GatewayClass; null if there is no problem.</summary>
    public GatewayClassProblem? ClassProblem { get; init; }

    /// <summary>The tenant's generation that the Route was built from; null if its CCM does not report it.</summary>
    internal long? SourceGeneration =>
        Route.Metadata.Annotations?.TryGetValue(Annotations.SourceGeneration, out var text) == true
        && long.TryParse(text, out var generation)
        && generation >= 0
            ? generation
            : null;

    /// <summary>Whether the object generated before is kept until the proxies accept the new backends.</summary>
    internal bool IsHeld => ProxyRejection is not null;

    /// <summary>Why the generated object was not applied; null if there was no error.</summary>
    internal string? Error => Translation.Problem ?? Generated?.Error;
}

/// <summary>The configuration of a Route that a proxy rejected.</summary>
/// <param name="Proxy">The proxy's address.</param>
/// <param name="Type">The rejected resource: <c>cluster</c>, <c>listener</c> or <c>endpoints</c>.</param>
/// <param name="Message">Envoy's error on one line.</param>
public sealed record ProxyRejection(string Proxy, string Type, string Message);

/// <summary>Builds the status of a Route: the contract's fields, and the conditions in the order in which they are listed here.</summary>
public static class RouteStatusBuilder
{
    /// <summary>Builds the status.</summary>
    /// <param name="outcome">What the status reports.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static RouteStatus Build(RouteOutcome outcome, string now)
    {
        var before = outcome.Route.Status?.Resources;
        return new RouteStatus
        {
            Conditions = RouteConditionsOf(outcome, now),
            Resources = new RouteResources
            {
                Source = before?.Source,
                Route = Object(outcome, now),
                Services = Services(outcome, before?.Services, now),
            },
        };
    }

    /// <summary>The messages of a status about objects that could not be written.</summary>
    public static IEnumerable<string> Failures(RouteStatus? status) =>
        (status?.Resources?.Services?.Values.Select(s => s.Conditions) ?? [])
            .Append(status?.Resources?.Route?.Conditions)
            .SelectMany(conditions => conditions ?? [])
            .Where(c => c.Type == RouteConditions.ResourceAppliedSuccessfully && c.Status == ConditionStatus.False)
            .Select(c => c.Message);

    // The conditions of the Route, for the administrator: Accepted and Programmed, with the generation of the Route.
    private static List<Condition> RouteConditionsOf(RouteOutcome outcome, string now)
    {
        var (accepted, programmed) = Failure(outcome) is { } failure
            ? (failure, IsServedDespiteProblem(outcome) ? Reported(outcome).Programmed : failure)
            : Reported(outcome);
        if (programmed.Status != ConditionStatus.False)
        {
            programmed = RejectedByProxy(outcome) ?? WithoutClass(outcome) ?? WithoutProxy(outcome) ?? programmed;
        }

        var generation = outcome.Route.Metadata.Generation;
        return new ConditionSet(outcome.Route.Status?.Conditions, now)
            .Set(RouteConditions.Accepted, accepted.Status, accepted.Reason, accepted.Message, generation)
            .Set(RouteConditions.Programmed, programmed.Status, programmed.Reason, programmed.Message, generation)
            .ToList();
    }

    // The conditions of the generated object, for the tenant, with the generation of the tenant's object.
    private static List<Condition> ObjectConditionsOf(RouteOutcome outcome, List<Condition>? before, string now)
    {
        var conditions = new ConditionSet(before, now);
        if (outcome.IsHeld)
        {
            // The conditions of the object that is kept, and why it is kept.
            conditions.SetAll((before ?? []).Where(c => c.Type != RouteConditions.ProxyProgrammed));
            SetProxyProgrammed(conditions, outcome);
        }
        else
        {
            SetApplied(conditions, outcome.Error, outcome.SourceGeneration);
            SetPermitted(conditions, outcome);
            SetProblem(conditions, outcome, RouteConditions.FieldsIgnored, RouteConditions.UnsupportedField, t => t.IgnoredFields);
            SetProblem(conditions, outcome, RouteConditions.DefaultExceeded, RouteConditions.EarlierDefaults, t => t.UpcomingRejection);
            SetRetryPolicyApplied(conditions, outcome);
            SetGatewayClassReady(conditions, outcome);
            SetProxiesAvailable(conditions, outcome);
        }

        return conditions.ToList();
    }

    // A Gateway that was served before some of its fields were rejected.
    private static bool IsServedDespiteProblem(RouteOutcome outcome) =>
        outcome.Translation is { Problem: not null, Generated: not null } && outcome.Generated is { Error: null };

    private static ConditionValue? Failure(RouteOutcome outcome)
    {
        if (outcome.Translation.Problem is { } problem)
        {
            return new ConditionValue(ConditionStatus.False, outcome.Translation.Reason, problem);
        }

        var failed = outcome
            .Services.OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(s => s.Value)
            .Append(outcome.Generated)
            .FirstOrDefault(a => a?.Error is not null);
        return failed is null ? null : new ConditionValue(ConditionStatus.False, failed.Reason, failed.Error!);
    }

    // True only if Envoy Gateway reports it for the current generation of the generated object.
    private static (ConditionValue Accepted, ConditionValue Programmed) Reported(RouteOutcome outcome)
    {
        var (kind, name) = (outcome.Translation.Generated?.Kind ?? "", outcome.Translation.Generated?.Name ?? "");
        var pending = new ConditionValue(
            ConditionStatus.Unknown,
            GatewayConditions.Pending,
            outcome.IsHeld ? RouteMessages.WaitingForProxies(kind, name) : RouteMessages.WaitingForEnvoyGateway(kind, name)
        );
        if (outcome.IsHeld)
        {
            return (pending, pending);
        }

        if (outcome.Translation.IsParked)
        {
            var parked = new ConditionValue(ConditionStatus.False, RouteConditions.NotAttached, RouteMessages.NotAttached);
            return (parked, parked);
        }

        var report = EnvoyGatewayReport.Read(kind, outcome.Generated);
        return (report.Accepted ?? pending, report.Programmed ?? pending);
    }

    private static ConditionValue? RejectedByProxy(RouteOutcome outcome) =>
        outcome.ProxyRejection is { } rejection
            ? new ConditionValue(
                ConditionStatus.False,
                RouteConditions.ProxyRejected,
                RouteMessages.ProxyRejectedBy(rejection.Proxy, rejection.Type, rejection.Message)
            )
            : null;

    // Only for Gateways: they are few, and Envoy Gateway reports on them in the same way.
    private static ConditionValue? WithoutProxy(RouteOutcome outcome) =>
        !outcome.IsHeld && HasGateway(outcome) && ProxyAvailabilityCondition.Of(outcome.Tenant?.Status) is { } unavailable
            ? ConditionValue.Of(unavailable)
            : null;

    // Only for Gateways, as with the proxies.
    private static ConditionValue? WithoutClass(RouteOutcome outcome) =>
        !outcome.IsHeld && HasGateway(outcome) && outcome.ClassProblem is { } problem
            ? new ConditionValue(ConditionStatus.False, problem.Reason, problem.Message)
            : null;

    // The contract's condition has one reason for all failures; the other conditions are more specific.
    private static void SetApplied(ConditionSet conditions, string? error, long? observedGeneration) =>
        conditions.Set(
            RouteConditions.ResourceAppliedSuccessfully,
            ConditionStatus.Of(error is null),
            error is null ? RouteConditions.InstallationSuccessful : RouteConditions.InstallationFailed,
            error ?? RouteConditions.SuccessMessage,
            observedGeneration
        );

    private static void SetPermitted(ConditionSet conditions, RouteOutcome outcome)
    {
        if (outcome.Translation.PolicyReason is { } reason)
        {
            conditions.Set(
                RouteConditions.Permitted,
                ConditionStatus.False,
                reason,
                outcome.Translation.Problem!,
                outcome.SourceGeneration
            );
        }
    }

    // A condition that is True while there is a problem.
    private static void SetProblem(
        ConditionSet conditions,
        RouteOutcome outcome,
        string type,
        string reason,
        Func<EnvoyGatewayTranslation, string?> messageOf
    )
    {
        if (outcome.Translation.Generated is null && !outcome.Translation.IsRejected)
        {
            conditions.Keep(type);
        }
        else if (messageOf(outcome.Translation) is { } message)
        {
            conditions.Set(type, ConditionStatus.True, reason, message, outcome.SourceGeneration);
        }
    }

    private static void SetRetryPolicyApplied(ConditionSet conditions, RouteOutcome outcome)
    {
        if (outcome.Translation.Generated is null && !outcome.Translation.IsRejected)
        {
            // The object generated before and its policy are kept.
            conditions.Keep(RouteConditions.RetryPolicyApplied);
        }
        else if (outcome.Translation.Retries is { } plan)
        {
            var value = OfRetryPolicy(plan, outcome.RetryPolicy);
            conditions.Set(RouteConditions.RetryPolicyApplied, value.Status, value.Reason, value.Message, outcome.SourceGeneration);
        }
    }

    private static void SetProxyProgrammed(ConditionSet conditions, RouteOutcome outcome) =>
        conditions.Set(
            RouteConditions.ProxyProgrammed,
            ConditionStatus.False,
            RouteConditions.ProxyRejected,
            RouteMessages.ProxyRejected(outcome.ProxyRejection!.Type, outcome.ProxyRejection.Message),
            outcome.SourceGeneration
        );

    private static void SetGatewayClassReady(ConditionSet conditions, RouteOutcome outcome)
    {
        if (WithoutClass(outcome) is not null)
        {
            conditions.Set(
                GatewayClassConditions.GatewayClassReady,
                ConditionStatus.False,
                outcome.ClassProblem!.Reason,
                outcome.ClassProblem.TenantMessage,
                outcome.SourceGeneration
            );
        }
    }

    private static void SetProxiesAvailable(ConditionSet conditions, RouteOutcome outcome)
    {
        if (WithoutProxy(outcome) is { } unavailable)
        {
            conditions.Set(
                TenantProxyConditions.ProxiesAvailable,
                ConditionStatus.False,
                unavailable.Reason,
                GatewayMessages.NoProxyAvailable,
                outcome.SourceGeneration
            );
        }
    }

    private static ConditionValue OfRetryPolicy(RetryPlan plan, AppliedObject? policy)
    {
        if (plan.Problem is { } problem)
        {
            return new(ConditionStatus.False, RouteConditions.InvalidAnnotation, RouteMessages.RetryPolicyNotApplied(problem));
        }

        if (policy?.Error is { } error)
        {
            return new(ConditionStatus.False, policy.Reason, error);
        }

        // Reports on an older generation are not about the current policy.
        var reported = AcceptedOf(policy?.Status).ToList();
        if (reported.Find(c => c.Status == ConditionStatus.False && IsCurrent(c, policy)) is { } rejected)
        {
            return new(ConditionStatus.False, rejected.Reason, RouteMessages.RetryPolicyRejected(rejected.Message));
        }

        // The message repeats the annotations, because a change of annotations does not change the generation of the route.
        var retry = plan.Policy!.Spec!.Retry!;
        return reported.Count > 0 && reported.TrueForAll(c => c.IsTrue && IsCurrent(c, policy))
            ? new(
                ConditionStatus.True,
                GatewayConditions.Accepted,
                retry.NumRetries == 0 ? RouteMessages.RetriesDisabled : RouteMessages.RetryPolicyApplied(RouteMessages.Describe(retry))
            )
            : new(ConditionStatus.Unknown, GatewayConditions.Pending, RouteMessages.RetryPolicyPending);
    }

    private static bool IsCurrent(Condition reported, AppliedObject? policy) => reported.ObservedGeneration >= (policy?.Generation ?? 0);

    private static IEnumerable<Condition> AcceptedOf(JsonObject? policyStatus)
    {
        try
        {
            return policyStatus is null
                ? []
                : (ApiJson.Read<PolicyStatus>(policyStatus).Ancestors ?? [])
                    .SelectMany(a => a.Conditions)
                    .Where(c => c.Type == GatewayConditions.Accepted);
        }
        catch (JsonException)
        {
            // Not a valid status of a policy; it is ignored.
            return [];
        }
    }

    private static GeneratedObject Object(RouteOutcome outcome, string now)
    {
        var translation = outcome.Translation;
        var origin = translation.Origin ?? RouteOrigin.Of(outcome.Route);
        var before = outcome.Route.Status?.Resources?.Route;

        // After a failure the generated object, if there is one, is still that of an older generation. A rejected Route has none, and its
        // name is free.
        var kept = translation.IsRejected ? null : before;
        var isNew = !outcome.IsHeld && (outcome.Error is null || IsServedDespiteProblem(outcome));
        return new GeneratedObject
        {
            ApiVersion = origin?.ApiVersion,
            Kind = origin?.Kind,
            Name = origin?.Name,
            Namespace = origin?.Namespace,
            GeneratedName = GeneratedNameOf(outcome),
            SourceGeneration = isNew ? outcome.SourceGeneration : kept?.SourceGeneration,
            Generation = isNew ? outcome.Generated?.Generation : kept?.Generation,
            Status = isNew
                ? UnservedListeners.AddTo(
                    translation.UnservedListeners,
                    outcome.Generated?.Status ?? [],
                    before?.Status,
                    outcome.Generated?.Generation,
                    now
                )
                : kept?.Status,
            Conditions = ObjectConditionsOf(outcome, before?.Conditions, now),
        };
    }

    private static string? GeneratedNameOf(RouteOutcome outcome) =>
        outcome.Translation.Generated?.Name
        ?? (outcome.Translation.IsRejected ? null : outcome.Route.Status?.Resources?.Route?.GeneratedName);

    private static bool HasGateway(RouteOutcome outcome) =>
        (outcome.Translation.Origin ?? RouteOrigin.Of(outcome.Route))?.Kind == Gateway.KindName
        && GeneratedNameOf(outcome) is { Length: > 0 };

    private static Dictionary<string, GeneratedService>? Services(
        RouteOutcome outcome,
        Dictionary<string, GeneratedService>? before,
        string now
    )
    {
        if (outcome.Translation.Generated is null && !outcome.Translation.IsRejected)
        {
            // Nothing was applied: the Services of the previous status are kept.
            return before;
        }

        var services = outcome.Translation.Services.ToDictionary(
            p => p.Key,
            p => Service(p, outcome.Services[p.Key], before?.GetValueOrDefault(p.Key), now),
            StringComparer.Ordinal
        );
        foreach (var (key, used) in outcome.IsHeld ? before ?? [] : [])
        {
            // The object that is kept still refers to the Service.
            services.TryAdd(key, used);
        }

        return services.Count == 0 ? null : services;
    }

    private static GeneratedService Service(GeneratedServicePlan plan, AppliedObject applied, GeneratedService? before, string now)
    {
        var conditions = new ConditionSet(before?.Conditions, now);
        SetApplied(conditions, applied.Error, observedGeneration: null);
        return new GeneratedService
        {
            ApiVersion = V1Service.KubeApiVersion,
            Kind = V1Service.KubeKind,
            Name = plan.OriginName,
            Namespace = plan.OriginNamespace,
            GeneratedName = plan.Service.Metadata.Name,
            Ports =
            [
                .. plan.Service.Spec.Ports.Select(port => new RouteServicePort
                {
                    Name = port.Name,
                    Port = port.Port,
                    Protocol = port.Protocol,
                    AppProtocol = port.AppProtocol,
                    TargetPort = port.TargetPort,
                }),
            ],
            Status = applied.Status,
            Conditions = conditions.ToList(),
        };
    }
}

/// <summary>The condition of a Tenant that no proxy is available.</summary>
public static class ProxyAvailabilityCondition
{
    /// <summary>The condition with status False; null if a proxy is available, or none is needed.</summary>
    public static Condition? Of(TenantStatus? status) =>
        status?.Conditions?.FirstOrDefault(c => c is { Type: TenantProxyConditions.ProxiesAvailable, Status: ConditionStatus.False });
}
