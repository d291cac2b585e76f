using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>The status of a GatewayClass of ours.</summary>
public static class GatewayClassStatusTranslator
{
    /// <summary>Accepted; conditions of others stay.</summary>
    public static GatewayClassStatus Translate(GatewayClass gatewayClass, string now)
    {
        var others = (gatewayClass.Status?.Conditions ?? []).Where(c => c.Type != GatewayConditions.Accepted);
        var conditions = new ConditionSet(gatewayClass.Status?.Conditions, now).Set(
            GatewayConditions.Accepted,
            ConditionStatus.True,
            GatewayConditions.Accepted,
            "Accepted by KubeLB.",
            gatewayClass.Metadata.Generation
        );
        return new GatewayClassStatus { Conditions = [.. conditions.ToList(), .. others] };
    }
}
