using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>The operator's settings in force for a tenant: the Tenant's over the Config's over the defaults.</summary>
public sealed record TenantPolicy
{
    /// <summary>The defaults: nothing is switched off or limited, every domain is allowed, no annotation is propagated.</summary>
    public static TenantPolicy Default { get; } = new();

    /// <summary>GatewayClass of generated Gateways.</summary>
    public string GatewayClass { get; init; } = GatewayApiSettings.DefaultClass;

    /// <summary>Whether Gateway API is switched off.</summary>
    public bool IsGatewayApiDisabled { get; init; }

    /// <summary>Whether HTTPRoutes are switched off.</summary>
    public bool IsHttpRouteDisabled { get; init; }

    /// <summary>Whether GRPCRoutes are switched off.</summary>
    public bool IsGrpcRouteDisabled { get; init; }

    /// <summary>Number of Gateways that are served; null for any number.</summary>
    public int? GatewayLimit { get; init; }

    /// <summary>Number of HTTPRoutes and GRPCRoutes that are served; null for any number.</summary>
    public int? RouteLimit { get; init; }

    /// <summary>The domains that hostnames may be of.</summary>
    public AllowedDomains Domains { get; init; } = AllowedDomains.Every;

    /// <summary>Which annotations generated objects get.</summary>
    public AnnotationRules Annotations { get; init; } = AnnotationRules.None;

    /// <summary>
    /// Puts the settings together, field by field; <c>propagateAllAnnotations</c> and <c>propagatedAnnotations</c> are one. A field that
    /// cannot be used as it is written (<see cref="SettingsProblems"/>) counts as absent, or for as little as it could mean.
    /// </summary>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="tenant">The Tenant; null if there is none.</param>
    public static TenantPolicy Of(Config? config, Tenant? tenant)
    {
        var (general, own) = (config?.Spec, tenant?.Spec);
        var (generalApi, ownApi) = (general?.GatewayAPI, own?.GatewayAPI);
        return new TenantPolicy
        {
            GatewayClass = ClassOf(ownApi) ?? ClassOf(generalApi) ?? GatewayApiSettings.DefaultClass,
            IsGatewayApiDisabled = ownApi?.Disable ?? generalApi?.Disable ?? false,
            IsHttpRouteDisabled = ownApi?.DisableHTTPRoute ?? generalApi?.DisableHTTPRoute ?? false,
            IsGrpcRouteDisabled = ownApi?.DisableGRPCRoute ?? generalApi?.DisableGRPCRoute ?? false,
            GatewayLimit = LimitOf(ownApi?.Gateway) ?? LimitOf(generalApi?.Gateway),
            RouteLimit = LimitOf(ownApi?.Route) ?? LimitOf(generalApi?.Route),
            Domains = AllowedDomains.Of(own?.AllowedDomains is { Count: > 0 } domains ? domains : general?.AllowedDomains),
            Annotations = AnnotationRules.Of(general, own),
        };
    }

    /// <summary>Whether objects of a kind are switched off.</summary>
    public bool IsDisabled(string kind) =>
        IsGatewayApiDisabled
        || kind switch
        {
            HttpRoute.KindName => IsHttpRouteDisabled,
            GrpcRoute.KindName => IsGrpcRouteDisabled,
            _ => false,
        };

    /// <summary>
    /// Whether Routes of a kind may come to something else by another policy. Limits are left out: what a change of them concerns depends
    /// on which Routes there are.
    /// </summary>
    public bool MayDiffer(string kind, TenantPolicy other)
    {
        if (IsDisabled(kind) != other.IsDisabled(kind))
        {
            return true;
        }

        if (IsDisabled(kind))
        {
            return false;
        }

        return Domains.Differs(other.Domains)
            || Annotations.MayDiffer(kind, other.Annotations)
            || (
                kind == Gateway.KindName
                    ? GatewayClass != other.GatewayClass
                    : Annotations.MayDiffer(AnnotationRules.Service, other.Annotations)
            );
    }

    private static string? ClassOf(GatewayApiSettings? settings) =>
        SettingsProblems.IsUsableClass(settings?.Class) ? settings!.Class : null;

    private static int? LimitOf(LimitSettings? settings) => settings?.Limit is >= 0 ? settings.Limit : null;
}
