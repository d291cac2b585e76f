using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;

namespace KubeLB.Translation.Status;

/// <summary>The status of a Route in the contract's shape, from what became of the objects generated from it.</summary>
public static class RouteStatusBuilder
{
    /// <summary>Builds the whole status.</summary>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="translation">What it came to.</param>
    /// <param name="generated">What became of the generated object; null if the Route was refused.</param>
    /// <param name="services">What became of the Services, by their key.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static RouteStatus Build(
        Route route,
        EnvoyGatewayTranslation translation,
        AppliedObject? generated,
        IReadOnlyDictionary<string, AppliedObject> services,
        string now
    )
    {
        var before = route.Status?.Resources;
        return new RouteStatus
        {
            Conditions = RouteOverview.Conditions(route, translation, generated, services, now),
            Resources = new RouteResources
            {
                Source = before?.Source,
                Route = Object(route, translation, generated, before?.Route, now),
                Services = Services(translation, services, before?.Services, now),
            },
        };
    }

    /// <summary>Why objects of a Route could not be written, as its status tells it.</summary>
    public static IEnumerable<string> Failures(RouteStatus? status) =>
        (status?.Resources?.Services?.Values.Select(s => s.Conditions) ?? [])
            .Append(status?.Resources?.Route?.Conditions)
            .SelectMany(conditions => conditions ?? [])
            .Where(c => c.Type == RouteConditions.ResourceAppliedSuccessfully && c.Status == ConditionStatus.False)
            .Select(c => c.Message);

    /// <summary>The tenant's generation that the Route was made from; null if its CCM does not tell.</summary>
    public static long? SourceGeneration(Route route) =>
        route.Metadata.Annotations?.TryGetValue(Annotations.SourceGeneration, out var text) == true
        && long.TryParse(text, out var generation)
        && generation >= 0
            ? generation
            : null;

    private static GeneratedObject Object(
        Route route,
        EnvoyGatewayTranslation translation,
        AppliedObject? applied,
        GeneratedObject? before,
        string now
    )
    {
        var origin = translation.Origin ?? RouteOrigin.Of(route);
        var source = SourceGeneration(route);
        var error = translation.Problem ?? applied?.Error;

        // After a failure the generated object, if there is one, still is that of an older generation; after a refusal there
        // is none, and its name is free.
        var isNew = error is null && !translation.IsHeld;
        before = translation.IsRefused ? new GeneratedObject { Conditions = before?.Conditions } : before;
        return new GeneratedObject
        {
            ApiVersion = origin?.ApiVersion,
            Kind = origin?.Kind,
            Name = origin?.Name,
            Namespace = origin?.Namespace,
            GeneratedName = translation.Generated?.Name ?? before?.GeneratedName,
            SourceGeneration = isNew ? source : before?.SourceGeneration,
            Generation = isNew ? applied?.Generation : before?.Generation,
            Status = isNew ? applied?.Status ?? [] : before?.Status,
            Conditions = translation.IsHeld
                ? before?.Conditions
                : Permitted(translation, before?.Conditions, source, now, Applied(before?.Conditions, error, source, now)),
        };
    }

    // Beside the contract's own condition, which has one reason for everything that goes wrong.
    private static List<Condition> Permitted(
        EnvoyGatewayTranslation translation,
        List<Condition>? before,
        long? source,
        string now,
        List<Condition> applied
    ) =>
        translation.NotPermitted is { } reason
            ?
            [
                .. applied,
                .. new ConditionSet(before, now)
                    .Set(RouteConditions.Permitted, ConditionStatus.False, reason, translation.Problem!, source)
                    .ToList(),
            ]
            : applied;

    private static Dictionary<string, GeneratedService>? Services(
        EnvoyGatewayTranslation translation,
        IReadOnlyDictionary<string, AppliedObject> applied,
        Dictionary<string, GeneratedService>? before,
        string now
    )
    {
        if (translation.Generated is null && !translation.IsRefused)
        {
            // What stands stays told.
            return before;
        }

        var services = translation.Services.ToDictionary(
            p => p.Key,
            p => Service(p, applied[p.Key], before?.GetValueOrDefault(p.Key), now),
            StringComparer.Ordinal
        );
        foreach (var (key, served) in translation.IsHeld ? before ?? [] : [])
        {
            // What is generated still leads there.
            services.TryAdd(key, served);
        }

        return services.Count == 0 ? null : services;
    }

    private static GeneratedService Service(GeneratedServicePlan plan, AppliedObject applied, GeneratedService? before, string now) =>
        new()
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
            Conditions = Applied(before?.Conditions, applied.Error, observedGeneration: null, now),
        };

    private static List<Condition> Applied(List<Condition>? before, string? error, long? observedGeneration, string now) =>
        new ConditionSet(before, now)
            .Set(
                RouteConditions.ResourceAppliedSuccessfully,
                ConditionStatus.Of(error is null),
                error is null ? RouteConditions.InstallationSuccessful : RouteConditions.InstallationFailed,
                error ?? RouteConditions.SuccessMessage,
                observedGeneration
            )
            .ToList();
}
