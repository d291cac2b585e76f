using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Events;

/// <summary>The Events about a change of a Route's status, for the administrator of the management cluster.</summary>
public static class GeneratedObjectEvents
{
    /// <summary>Reason: the generated objects could be written after an earlier failure.</summary>
    public const string Applied = "Applied";

    /// <summary>Reason: the name of a generated object was already in use, so that it has another.</summary>
    public const string NameTaken = "NameTaken";

    /// <summary>The distinct Events of a change: failures, recoveries, and names that were already in use.</summary>
    /// <param name="before">The status before; null if there was none.</param>
    /// <param name="after">The status as written; null if there is none.</param>
    public static IReadOnlyList<StatusEvent> Between(RouteStatus? before, RouteStatus? after) =>
        [.. OfConditions(before, after).Concat(OfNames(before?.Resources, after?.Resources)).Distinct()];

    private static IEnumerable<StatusEvent> OfConditions(RouteStatus? before, RouteStatus? after)
    {
        var accepted = ConditionChange.Of(RouteConditions.Accepted, before?.Conditions, after?.Conditions);
        var isRecovered = RouteStatusBuilder.Failures(before).Any() && !RouteStatusBuilder.Failures(after).Any();
        if (isRecovered)
        {
            var generated = after?.Resources?.Route;
            yield return StatusEvent.Normal(Applied, RouteMessages.Recovered(generated?.Kind ?? "", generated?.GeneratedName ?? ""));
        }

        if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }
        else if (accepted is { BecameTrue: true, Before.Status: ConditionStatus.False } && !isRecovered)
        {
            yield return StatusEvent.Normal(RouteConditions.Accepted, RouteMessages.EnvoyGatewayRecovered);
        }

        var programmed = ConditionChange.Of(RouteConditions.Programmed, before?.Conditions, after?.Conditions);
        if (programmed.Failed && accepted.After is not { Status: ConditionStatus.False })
        {
            yield return StatusEvent.Warning(programmed.After!.Reason, programmed.After.Message);
        }

        var proxies = ConditionChange.Of(
            RouteConditions.ProxyProgrammed,
            before?.Resources?.Route?.Conditions,
            after?.Resources?.Route?.Conditions
        );
        if (proxies.WasResolved)
        {
            yield return StatusEvent.Normal(StatusEvent.ProxyProgrammed, RouteMessages.ProxiesAccepted);
        }
    }

    private static IEnumerable<StatusEvent> OfNames(RouteResources? before, RouteResources? after)
    {
        if (after?.Route is not { Namespace: { } @namespace, Name: { } name } route)
        {
            yield break;
        }

        if (OfNewSuffix(before?.Route, route, GeneratedNames.ForRoute(@namespace, name)) is { } ofRoute)
        {
            yield return ofRoute;
        }

        foreach (var (key, service) in (after.Services ?? []).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var contractName = GeneratedNames.ForService(service.Namespace ?? "", name, service.Name ?? "");
            if (OfNewSuffix(before?.Services?.GetValueOrDefault(key), service, contractName) is { } ofService)
            {
                yield return ofService;
            }
        }
    }

    private static StatusEvent? OfNewSuffix(GeneratedObject? before, GeneratedObject after, string contractName) =>
        after.GeneratedName is { Length: > 0 } generated && generated != contractName && generated != before?.GeneratedName
            ? StatusEvent.Normal(
                NameTaken,
                RouteMessages.NameTaken(contractName, after.Kind ?? "", $"{after.Namespace}/{after.Name}", generated)
            )
            : null;
}
