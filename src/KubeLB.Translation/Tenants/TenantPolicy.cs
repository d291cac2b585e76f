using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tenants;

/// <summary>The administrator's effective settings for a tenant: the Tenant's over the Config's over the defaults.</summary>
public sealed record TenantPolicy
{
    /// <summary>
    /// The defaults: nothing is disabled, every domain is allowed, no annotation is propagated, and limits that few tenants reach.
    /// </summary>
    public static TenantPolicy Default { get; } = new();

    /// <summary>GatewayClass of generated Gateways.</summary>
    public string GatewayClass { get; init; } = GatewayApiSettings.DefaultClass;

    /// <summary>Whether Gateway API is disabled.</summary>
    public bool IsGatewayApiDisabled { get; init; }

    /// <summary>Whether HTTPRoutes are disabled.</summary>
    public bool IsHttpRouteDisabled { get; init; }

    /// <summary>Whether GRPCRoutes are disabled.</summary>
    public bool IsGrpcRouteDisabled { get; init; }

    /// <summary>Maximum number of Gateways.</summary>
    public int GatewayLimit { get; init; } = 100;

    /// <summary>Maximum number of HTTPRoutes and GRPCRoutes together.</summary>
    public int RouteLimit { get; init; } = 10_000;

    /// <summary>Maximum size of one Route in bytes.</summary>
    public int MaxRouteBytes { get; init; } = 256 * 1024;

    /// <summary>Maximum size of all Routes in bytes.</summary>
    public int MaxTotalBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Maximum number of Services of one route.</summary>
    public int MaxServices { get; init; } = 64;

    /// <summary>Maximum number of Services that are generated for all routes.</summary>
    public int MaxTotalServices { get; init; } = 2000;

    /// <summary>Maximum number of ports of the Services of one route.</summary>
    public int MaxPorts { get; init; } = 256;

    /// <summary>Maximum number of listeners of one Gateway.</summary>
    public int MaxListeners { get; init; } = 64;

    /// <summary>Maximum number of hostnames of one route.</summary>
    public int MaxHostnames { get; init; } = 64;

    /// <summary>Maximum number of backendRefs of one route.</summary>
    public int MaxBackends { get; init; } = 256;

    /// <summary>Maximum number of retries that a route can configure.</summary>
    public int MaxRetries { get; init; } = GatewayApiSettings.DefaultMaxRetries;

    /// <summary>The addresses that Gateways may request.</summary>
    public AddressSet GatewayAddresses { get; init; } = AddressSet.Empty;

    /// <summary>The domains of allowed hostnames.</summary>
    public AllowedDomains Domains { get; init; } = AllowedDomains.Every;

    /// <summary>Whether a hostname that overlaps one of another tenant is rejected. Set in the Config only.</summary>
    public bool HasExclusiveHostnames { get; init; }

    /// <summary>The labels of generated objects.</summary>
    public LabelRules Labels { get; init; } = LabelRules.Default;

    /// <summary>The permitted node ports of Services.</summary>
    public NodePortRanges NodePorts { get; init; } = NodePortRanges.Default;

    /// <summary>The annotations of generated objects.</summary>
    public AnnotationRules Annotations { get; init; } = AnnotationRules.None;

    /// <summary>Whether node addresses in the management cluster's own ranges are denied, unless the settings allow them.</summary>
    public bool DeniesManagementCluster { get; init; } = true;

    /// <summary>The policy with the current defaults, if this one has earlier ones (<see cref="VersionedDefaults"/>); else null.</summary>
    public TenantPolicy? Upcoming { get; init; }

    /// <summary>
    /// Merges the settings field by field; <c>propagateAllAnnotations</c> and <c>propagatedAnnotations</c> are treated as one. An invalid
    /// field (<see cref="SettingsProblems"/>) is ignored, or is applied in its most restrictive meaning.
    /// </summary>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="tenant">The Tenant; null if there is none.</param>
    /// <param name="defaults">The defaults of fields that neither sets; null for <see cref="Default"/>.</param>
    public static TenantPolicy Merge(Config? config, Tenant? tenant, TenantPolicy? defaults = null)
    {
        var standard = defaults ?? Default;
        var (general, own) = (config?.Spec, tenant?.Spec);
        var (generalApi, ownApi) = (general?.GatewayAPI, own?.GatewayAPI);
        return new TenantPolicy
        {
            GatewayClass = ClassOf(ownApi) ?? ClassOf(generalApi) ?? GatewayApiSettings.DefaultClass,
            IsGatewayApiDisabled = ownApi?.Disable ?? generalApi?.Disable ?? false,
            IsHttpRouteDisabled = ownApi?.DisableHTTPRoute ?? generalApi?.DisableHTTPRoute ?? false,
            IsGrpcRouteDisabled = ownApi?.DisableGRPCRoute ?? generalApi?.DisableGRPCRoute ?? false,
            GatewayLimit = LimitOf(ownApi?.Gateway) ?? LimitOf(generalApi?.Gateway) ?? standard.GatewayLimit,
            RouteLimit = LimitOf(ownApi?.Route) ?? LimitOf(generalApi?.Route) ?? standard.RouteLimit,
            MaxRetries = RetriesOf(ownApi) ?? RetriesOf(generalApi) ?? standard.MaxRetries,
            Domains = AllowedDomains.Parse(own?.AllowedDomains is { Count: > 0 } domains ? domains : general?.AllowedDomains),
            HasExclusiveHostnames = general?.ExclusiveHostnames ?? false,
            Labels = LabelRules.Parse(own?.PropagatedLabels ?? general?.PropagatedLabels),
            NodePorts =
                NodePortRanges.Parse(own?.Addresses?.NodePorts)
                ?? NodePortRanges.Parse(general?.Addresses?.NodePorts)
                ?? standard.NodePorts,
            Annotations = AnnotationRules.Merge(general, own),
            MaxRouteBytes = SizeOf(own?.Limits, general?.Limits, l => l.RouteBytes, standard.MaxRouteBytes, RouteSpecJson.MaxSize),
            MaxTotalBytes = SizeOf(own?.Limits, general?.Limits, l => l.TotalBytes, standard.MaxTotalBytes),
            MaxServices = SizeOf(own?.Limits, general?.Limits, l => l.Services, standard.MaxServices),
            MaxTotalServices = SizeOf(own?.Limits, general?.Limits, l => l.TotalServices, standard.MaxTotalServices),
            GatewayAddresses = RangesOf(ownApi?.GatewayAddresses ?? generalApi?.GatewayAddresses),
            MaxPorts = SizeOf(own?.Limits, general?.Limits, l => l.Ports, standard.MaxPorts),
            MaxListeners = SizeOf(own?.Limits, general?.Limits, l => l.Listeners, standard.MaxListeners),
            MaxHostnames = SizeOf(own?.Limits, general?.Limits, l => l.Hostnames, standard.MaxHostnames),
            MaxBackends = SizeOf(own?.Limits, general?.Limits, l => l.Backends, standard.MaxBackends),
            DeniesManagementCluster = standard.DeniesManagementCluster,
            Upcoming = ReferenceEquals(standard, Default) ? null : Merge(config, tenant),
        };
    }

    private static int SizeOf(
        SizeLimits? own,
        SizeLimits? general,
        Func<SizeLimits, int?> limit,
        int @default,
        int maximum = int.MaxValue
    ) => ValidSize(own, limit, maximum) ?? ValidSize(general, limit, maximum) ?? @default;

    private static int? ValidSize(SizeLimits? limits, Func<SizeLimits, int?> limit, int maximum) =>
        limits is not null && limit(limits) is >= 0 and var value && value <= maximum ? value : null;

    /// <summary>Why a Route is rejected for its size; null if it is not.</summary>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    /// <param name="size">The size of the Route in bytes.</param>
    /// <param name="isBeyondTotal">Whether older Routes use up <see cref="MaxTotalBytes"/>.</param>
    public Rejection? SizeRejection(string tenantNamespace, int size, Func<bool> isBeyondTotal)
    {
        var tenant = TenantNames.TenantOf(tenantNamespace) ?? "";
        var message =
            size > MaxRouteBytes ? TenantMessages.RouteTooLarge(tenant, size, MaxRouteBytes)
            : isBeyondTotal() ? TenantMessages.TotalSizeReached(tenant, MaxTotalBytes)
            : null;
        return message is null ? null : new Rejection(RouteConditions.LimitExceeded, message);
    }

    /// <summary>Whether objects of a kind are disabled.</summary>
    public bool IsDisabled(string kind) =>
        IsGatewayApiDisabled
        || kind switch
        {
            HttpRoute.KindName => IsHttpRouteDisabled,
            GrpcRoute.KindName => IsGrpcRouteDisabled,
            _ => false,
        };

    /// <summary>
    /// Whether Routes of a kind may be translated differently with another policy. Limits are not compared: which Routes they affect
    /// depends on the other Routes.
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

        return Upcoming is null != other.Upcoming is null
            || Domains.Differs(other.Domains)
            || HasExclusiveHostnames != other.HasExclusiveHostnames
            || (MaxRouteBytes, MaxServices, MaxPorts) != (other.MaxRouteBytes, other.MaxServices, other.MaxPorts)
            || (MaxListeners, MaxHostnames, MaxBackends) != (other.MaxListeners, other.MaxHostnames, other.MaxBackends)
            || Labels.Differs(other.Labels)
            || Annotations.MayDiffer(kind, other.Annotations)
            || (
                kind == Gateway.KindName
                    ? GatewayClass != other.GatewayClass || !GatewayAddresses.Ranges().SequenceEqual(other.GatewayAddresses.Ranges())
                    : MaxRetries != other.MaxRetries
                        || MaxTotalServices != other.MaxTotalServices
                        || $"{NodePorts}" != $"{other.NodePorts}"
                        || Annotations.MayDiffer(AnnotationRules.Service, other.Annotations)
            );
    }

    private static string? ClassOf(GatewayApiSettings? settings) => settings?.Class is { } name && DnsNames.IsSubdomain(name) ? name : null;

    private static AddressSet RangesOf(IEnumerable<string>? ranges) =>
        (ranges ?? []).Aggregate(AddressSet.Empty, (all, range) => all.Add(range));

    private static int? RetriesOf(GatewayApiSettings? settings) => settings?.MaxRetries is >= 0 ? settings.MaxRetries : null;

    private static int? LimitOf(LimitSettings? settings) => settings?.Limit is >= 0 ? settings.Limit : null;
}

/// <summary>Whether the administrator's settings reject a tenant's object, with a message for the tenant.</summary>
internal static class PolicyRejection
{
    private const int MaxQuoteLength = 253;

    /// <summary>
    /// Evaluates the settings: first whether the kind is disabled, then the limit, then the hostnames.
    /// </summary>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    /// <param name="source">The tenant's object.</param>
    /// <param name="policy">The effective settings.</param>
    /// <param name="isWithinLimit">Whether the object is within the limit of its kind.</param>
    /// <returns>A reason of <see cref="RouteConditions"/> and a message; null if the object is permitted.</returns>
    public static Rejection? Evaluate(string tenantNamespace, SourceObject source, TenantPolicy policy, bool isWithinLimit)
    {
        var tenant = TenantNames.TenantOf(tenantNamespace) ?? "";
        var kind = source.Origin.Kind;
        if (policy.IsGatewayApiDisabled)
        {
            return new Rejection(RouteConditions.Disabled, TenantMessages.GatewayApiDisabled(tenant));
        }

        if (policy.IsDisabled(kind))
        {
            return new Rejection(RouteConditions.Disabled, TenantMessages.KindDisabled(kind, tenant));
        }

        var (limit, objects, field) =
            kind == Gateway.KindName
                ? (policy.GatewayLimit, "Gateways", "gateway")
                : (policy.RouteLimit, "HTTPRoutes and GRPCRoutes", "route");
        if (!isWithinLimit)
        {
            return new Rejection(
                RouteConditions.LimitExceeded,
                limit == 0 ? TenantMessages.LimitIsZero(objects, tenant, field) : TenantMessages.LimitReached(objects, tenant, limit, field)
            );
        }

        return OfSize(tenant, source, policy) ?? (policy.Domains.IsEvery ? null : OfHostnames(tenant, source.Value, policy.Domains));
    }

    private static Rejection? OfSize(string tenant, SourceObject source, TenantPolicy policy)
    {
        var counts = source.Value switch
        {
            Gateway gateway => new[] { ("listeners", gateway.Spec?.Listeners?.Count ?? 0, policy.MaxListeners, "listeners") },
            IGatewayRoute route =>
            [
                ("hostnames", route.Hostnames.Count, policy.MaxHostnames, "hostnames"),
                ("backendRefs", route.Rules.Sum(rule => rule.BackendRefs?.Count ?? 0), policy.MaxBackends, "backends"),
                ("Services", source.Services.Count, policy.MaxServices, "services"),
                ("ports of its Services", source.Services.Sum(service => service.Spec?.Ports?.Count ?? 0), policy.MaxPorts, "ports"),
            ],
            _ => [],
        };
        return counts
            .Where(count => count.Item2 > count.Item3)
            .Select(count => new Rejection(
                RouteConditions.LimitExceeded,
                TenantMessages.ObjectLimitExceeded(source.Origin.Kind, count.Item1, tenant, count.Item2, count.Item3, count.Item4)
            ))
            .FirstOrDefault();
    }

    private static Rejection? OfHostnames(string tenant, object value, AllowedDomains domains)
    {
        var problem = value switch
        {
            Gateway gateway => (gateway.Spec?.Listeners ?? [])
                .Where(l => !domains.Allows(l.Hostname))
                .Select(l =>
                    domains.IsNone ? TenantMessages.NoDomainAllowed(tenant)
                    : string.IsNullOrEmpty(l.Hostname) ? TenantMessages.HostnameMissing(Truncate(l.Name), $"{domains}")
                    : TenantMessages.ListenerHostnameNotAllowed(Truncate(l.Hostname), Truncate(l.Name), $"{domains}")
                )
                .FirstOrDefault(),
            // A route without hostnames has those of its Gateway's listeners, which have been validated.
            IGatewayRoute route => route
                .Hostnames.Where(h => !domains.Allows(h))
                .Select(h =>
                    domains.IsNone
                        ? TenantMessages.NoDomainAllowed(tenant)
                        : TenantMessages.HostnameNotAllowed(h.Length == 0 ? "\"\"" : Truncate(h), $"{domains}")
                )
                .FirstOrDefault(),
            _ => null,
        };
        return problem is null ? null : new Rejection(RouteConditions.HostnameNotAllowed, problem);
    }

    private static string Truncate(string text) => MessageText.Quote(text, MaxQuoteLength);
}
