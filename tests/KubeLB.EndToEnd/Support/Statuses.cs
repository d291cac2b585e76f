using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.EndToEnd.Support;

/// <summary>Reads the status of a tenant's objects.</summary>
public static class Statuses
{
    public static Condition? Condition(IGatewayRoute route, string type) =>
        route
            .Status?.Parents.FirstOrDefault(p => p.ControllerName == GatewayClass.KubelbController)
            ?.Conditions.FirstOrDefault(c => c.Type == type);

    public static bool IsAccepted(IGatewayRoute route) => IsTrueNow(Condition(route, "Accepted"), route.Metadata.Generation);

    public static bool IsResolved(IGatewayRoute route) => IsTrueNow(Condition(route, "ResolvedRefs"), route.Metadata.Generation);

    public static bool IsProgrammed(Gateway gateway) =>
        IsTrueNow(gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Programmed"), gateway.Metadata.Generation)
        && gateway.Status!.Addresses is { Count: > 0 };

    private static bool IsTrueNow(Condition? condition, long? generation) =>
        condition is { IsTrue: true } && condition.ObservedGeneration == generation;
}
