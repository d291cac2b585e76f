using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Status;

/// <summary>
/// Which conditions are kept if a status has more than Gateway API permits. The ninth would make the API server reject the whole status.
/// </summary>
public static class ConditionPrecedence
{
    /// <summary>Maximum number of conditions of a Gateway, a listener and a parent of a route (CRDs of Gateway API).</summary>
    public const int Maximum = 8;

    // Those of Gateway API first, then what a tenant must know most urgently.
    private static readonly string[] Types =
    [
        GatewayConditions.Accepted,
        GatewayConditions.Programmed,
        GatewayConditions.ResolvedRefs,
        GatewayConditions.Conflicted,
        GatewayConditions.PartiallyInvalid,
        GatewayConditions.BackendsReady,
        GatewayConditions.ProxyProgrammed,
        GatewayConditions.RetryPolicyApplied,
        GatewayConditions.RouteRulesOverlap,
        GatewayConditions.DefaultExceeded,
        GatewayConditions.FieldsIgnored,
    ];

    /// <summary>The types whose status True reports a problem.</summary>
    internal static readonly string[] Problems =
    [
        GatewayConditions.Conflicted,
        GatewayConditions.PartiallyInvalid,
        GatewayConditions.RouteRulesOverlap,
        GatewayConditions.DefaultExceeded,
        GatewayConditions.FieldsIgnored,
    ];

    private static readonly string[] Required = [GatewayConditions.Accepted, GatewayConditions.Programmed, GatewayConditions.ResolvedRefs];

    /// <summary>
    /// At most <see cref="Maximum"/> of the conditions, in their order: first Accepted, Programmed and ResolvedRefs, then problems, then
    /// the others; of equal ones those of the table, then types that it does not have.
    /// </summary>
    public static List<Condition> Limit(IReadOnlyList<Condition> conditions)
    {
        if (conditions.Count <= Maximum)
        {
            return [.. conditions];
        }

        var kept = conditions.OrderBy(Rank).ThenBy(c => PlaceOf(c.Type)).Take(Maximum).ToHashSet();
        return [.. conditions.Where(kept.Contains)];
    }

    private static int Rank(Condition condition) =>
        Required.Contains(condition.Type) ? 0
        : PlaceOf(condition.Type) == int.MaxValue ? 3
        : condition.IsTrue == Problems.Contains(condition.Type) ? 1
        : 2;

    private static int PlaceOf(string type) => Array.IndexOf(Types, type) is >= 0 and var place ? place : int.MaxValue;
}
