using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Status;

/// <summary>
/// What became of a Route as a whole, in two conditions of the Route's own generation. <c>True</c> is only said on Envoy Gateway's word
/// for the generation of the generated object that this generation of the Route came to.
/// </summary>
internal static class RouteOverview
{
    public static List<Condition> Conditions(
        Route route,
        EnvoyGatewayTranslation translation,
        AppliedObject? generated,
        IReadOnlyDictionary<string, AppliedObject> services,
        string now
    )
    {
        var conditions = new ConditionSet(route.Status?.Conditions, now);
        if (Failure(translation, generated, services) is { } failure)
        {
            Set(RouteConditions.Accepted, failure);
            Set(RouteConditions.Programmed, failure);
        }
        else if (translation.IsHeld)
        {
            var held = new Finding(
                ConditionStatus.Unknown,
                GatewayConditions.Pending,
                $"{translation.Generated?.Kind} {translation.Generated?.Name} is not written before the tenant's proxies have "
                    + "accepted its new backends."
            );
            Set(RouteConditions.Accepted, held);
            Set(RouteConditions.Programmed, held);
        }
        else
        {
            var report = EnvoyGatewayReport.Of(translation.Generated?.Kind, generated);
            Set(RouteConditions.Accepted, report.Accepted ?? Awaited(translation));
            Set(RouteConditions.Programmed, report.Programmed ?? Awaited(translation));
        }

        return conditions.ToList();

        void Set(string type, Finding finding) =>
            conditions.Set(type, finding.Status, finding.Reason, finding.Message, route.Metadata.Generation);
    }

    /// <summary>
    /// Says of what Envoy Gateway took that the proxies behind it do not serve it. What is wrong before them comes first: mending it may
    /// mend this.
    /// </summary>
    public static void SetNotProgrammed(RouteStatus status, Route route, string reason, string message, string now)
    {
        var conditions = status.Conditions ?? [];
        if (conditions.Find(c => c.Type == RouteConditions.Programmed) is { Status: ConditionStatus.False })
        {
            return;
        }

        status.Conditions = new ConditionSet(route.Status?.Conditions, now)
            .SetAll(conditions)
            .Set(RouteConditions.Programmed, ConditionStatus.False, reason, message, route.Metadata.Generation)
            .ToList();
    }

    private static Finding? Failure(
        EnvoyGatewayTranslation translation,
        AppliedObject? generated,
        IReadOnlyDictionary<string, AppliedObject> services
    )
    {
        if (translation.Problem is { } problem)
        {
            return new Finding(ConditionStatus.False, translation.Reason, problem);
        }

        var failed = services
            .OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(s => s.Value)
            .Append(generated)
            .FirstOrDefault(a => a?.Error is not null);
        return failed is null
            ? null
            : new Finding(
                ConditionStatus.False,
                failed.MayPass ? RouteConditions.QuotaExceeded : RouteConditions.InstallationFailed,
                failed.Error!
            );
    }

    private static Finding Awaited(EnvoyGatewayTranslation translation) =>
        new(
            ConditionStatus.Unknown,
            GatewayConditions.Pending,
            $"Envoy Gateway has not reported on the generated {translation.Generated?.Kind} {translation.Generated?.Name} as it is now."
        );
}
