using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Metrics;

/// <summary>What a Route's status says, in one word.</summary>
internal static class RouteState
{
    /// <summary>Envoy Gateway serves it.</summary>
    public const string Programmed = "programmed";

    /// <summary>It has not been answered yet.</summary>
    public const string Pending = "pending";

    /// <summary>Envoy Gateway does not serve it, or not with all its references.</summary>
    public const string Rejected = "rejected";

    /// <summary>The manager or the API server refuses it.</summary>
    public const string Refused = "refused";

    /// <summary>The kinds that are told apart.</summary>
    public static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    /// <summary>The word for a Route.</summary>
    public static string Of(Route route)
    {
        if (RouteStatusBuilder.Failures(route.Status).Any())
        {
            return Refused;
        }

        return route.Status?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Programmed)?.Status switch
        {
            ConditionStatus.True => Programmed,
            ConditionStatus.False => Rejected,
            _ => Pending,
        };
    }
}
