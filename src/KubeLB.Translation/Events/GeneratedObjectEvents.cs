using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Events;

/// <summary>What a change of a Route's status tells the people of the management cluster.</summary>
public static class GeneratedObjectEvents
{
    /// <summary>Reason: what could not be written is written now.</summary>
    public const string Applied = "Applied";

    /// <summary>Reason: the name of a generated object was taken, so that it has another.</summary>
    public const string NameTaken = "NameTaken";

    // While it comes up, a Gateway is not programmed yet; that is no news.
    private static readonly string[] OnItsWay = [GatewayConditions.Pending, "AddressNotAssigned", "NoResources"];

    /// <summary>The Events of a change, each once; none if all goes as it should and did before.</summary>
    /// <param name="before">The status as it stood; null if there was none.</param>
    /// <param name="after">The status as it was written; null if there is none.</param>
    public static IReadOnlyList<StatusEvent> Between(RouteStatus? before, RouteStatus? after) =>
        [.. OfConditions(before, after).Concat(OfNames(before?.Resources, after?.Resources)).Distinct()];

    private static IEnumerable<StatusEvent> OfConditions(RouteStatus? before, RouteStatus? after)
    {
        var accepted = ConditionChange.Of(RouteConditions.Accepted, before?.Conditions, after?.Conditions);
        var isMended = RouteStatusBuilder.Failures(before).Any() && !RouteStatusBuilder.Failures(after).Any();
        if (isMended)
        {
            var generated = after?.Resources?.Route;
            yield return StatusEvent.Normal(
                Applied,
                $"What was wrong is mended: {generated?.Kind} {generated?.GeneratedName} is generated as the tenant wants it."
            );
        }

        if (accepted.BecameFalse)
        {
            yield return StatusEvent.Warning(accepted.After!.Reason, accepted.After.Message);
        }
        else if (accepted is { BecameTrue: true, Before.Status: ConditionStatus.False } && !isMended)
        {
            yield return StatusEvent.Normal(RouteConditions.Accepted, "Envoy Gateway accepts it again.");
        }

        var programmed = ConditionChange.Of(RouteConditions.Programmed, before?.Conditions, after?.Conditions);
        if (
            programmed.BecameFalse
            && accepted.After is not { Status: ConditionStatus.False }
            && (programmed.Before is { IsTrue: true } || !OnItsWay.Contains(programmed.After!.Reason))
        )
        {
            yield return StatusEvent.Warning(programmed.After!.Reason, programmed.After.Message);
        }

        var proxies = ConditionChange.Of(
            RouteConditions.ProxyProgrammed,
            before?.Resources?.Route?.Conditions,
            after?.Resources?.Route?.Conditions
        );
        if (proxies is { Before.Status: ConditionStatus.False, After: null })
        {
            yield return StatusEvent.Normal(StatusEvent.ProxiesTakeIt, StatusEvent.ProxiesTakeItAgain);
        }
    }

    private static IEnumerable<StatusEvent> OfNames(RouteResources? before, RouteResources? after)
    {
        if (after?.Route is not { Namespace: { } @namespace, Name: { } name } route)
        {
            yield break;
        }

        if (IsNewSuffix(before?.Route, route, GeneratedNames.ForRoute(@namespace, name)) is { } told)
        {
            yield return told;
        }

        foreach (var (key, service) in (after.Services ?? []).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            if (
                IsNewSuffix(
                    before?.Services?.GetValueOrDefault(key),
                    service,
                    GeneratedNames.ForService(service.Namespace ?? "", name, service.Name ?? "")
                ) is
                { } toldOfService
            )
            {
                yield return toldOfService;
            }
        }
    }

    private static StatusEvent? IsNewSuffix(GeneratedObject? before, GeneratedObject after, string contractName) =>
        after.GeneratedName is { Length: > 0 } generated && generated != contractName && generated != before?.GeneratedName
            ? StatusEvent.Normal(
                NameTaken,
                $"The name {contractName} is another object's; {after.Kind} {after.Namespace}/{after.Name} of the tenant is "
                    + $"generated as {generated}."
            )
            : null;
}
