using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Translates a Route to the objects for Envoy Gateway and the Services in front of the tenant's proxy.</summary>
public static class EnvoyGatewayTranslator
{
    private const int MaxQuoteLength = 253;

    /// <summary>Reads the source object, validates it, then generates the Services and, with their names, the object itself.</summary>
    /// <param name="route">The Route; untrusted.</param>
    /// <param name="policy">The administrator's settings for the tenant.</param>
    /// <param name="view">The tenant's namespace.</param>
    /// <param name="proxyPort">Returns the proxy's port for a Service port, always the same one.</param>
    public static EnvoyGatewayTranslation Translate(Route route, TenantPolicy policy, IManagementView view, Func<PortNeed, int> proxyPort)
    {
        // Before anything is parsed.
        if (view.SizeRejection(route) is { } sizeRejection)
        {
            return EnvoyGatewayTranslation.Rejected(SourceObject.OriginOf(route), sizeRejection);
        }

        var (source, problem) = SourceObject.Read(route);
        if (route.Spec is { IsDropped: true })
        {
            // It is within the limits again, or was dropped meanwhile. The write of this status, which differs for each version of the
            // Route, causes a watch event with the content.
            return EnvoyGatewayTranslation.Failed(
                SourceObject.OriginOf(route),
                RouteMessages.ReadingAgain(route.Metadata.ResourceVersion ?? ""),
                RouteConditions.LimitExceeded
            );
        }

        if (source is null)
        {
            return EnvoyGatewayTranslation.Rejected(origin: null, problem!);
        }

        if (PolicyRejection.Evaluate(route.Namespace, source, policy, view.IsWithinLimit(route)) is { } rejection)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, rejection) with
            {
                Parked =
                    rejection.Reason == RouteConditions.Disabled && source.Value is not Gateway
                        ? RouteGenerator.ParkExisting(route, source, policy, view)
                        : null,
            };
        }

        var translation = source.Value is Gateway gateway
            ? TranslateGateway(route, source, gateway, policy, view)
            : TranslateRoute(route, source, (IGatewayRoute)source.Value, policy, view, proxyPort);
        return policy.Upcoming is { } upcoming && translation.Generated is not null
            ? translation with
            {
                UpcomingRejection = UpcomingRejection(route, source, translation, upcoming),
            }
            : translation;
    }

    // Only of the object itself: what depends on the number of objects is reported on the Tenant.
    private static string? UpcomingRejection(Route route, SourceObject source, EnvoyGatewayTranslation translation, TenantPolicy upcoming)
    {
        var tenantRoute = source.Value as IGatewayRoute;
        var rejection =
            upcoming.SizeRejection(route.Namespace, route.Spec?.Size ?? 0, () => false)
            ?? PolicyRejection.Evaluate(route.Namespace, source, upcoming, isWithinLimit: true)
            ?? (tenantRoute is null ? null : RouteGenerator.Rejection(tenantRoute, upcoming));
        var problem =
            rejection?.Message
            ?? (tenantRoute is null ? null : upcoming.NodePorts.Problem(source.UsedServices))
            ?? (
                translation.Retries is { Problem: null }
                    ? RetryAnnotationReader.Read(source.Value.Metadata.Annotations, upcoming.MaxRetries).Problem
                    : null
            );
        return problem is null ? null : TenantMessages.DefaultExceeded(VersionedDefaults.Next, problem);
    }

    private static EnvoyGatewayTranslation TranslateGateway(
        Route route,
        SourceObject source,
        Gateway gateway,
        TenantPolicy policy,
        IManagementView view
    )
    {
        var listeners = gateway.Spec?.Listeners?.Count ?? 0;
        if (source.TextRejection is { } invalid)
        {
            // A Gateway that is served stays as it is.
            return view.GatewayName(route) is null
                ? EnvoyGatewayTranslation.Rejected(source.Origin, invalid)
                : EnvoyGatewayTranslation.Failed(source.Origin, invalid.Message, invalid.Reason) with
                {
                    PolicyReason = invalid.Reason,
                };
        }

        var unserved = UnservedListeners(route, source, gateway, policy, view);
        var rejection =
            source.FieldRejection
            ?? AddressRejection(gateway, policy)
            ?? (listeners > 0 && unserved.Count == listeners ? unserved[0] : null);
        if (rejection is not null && view.GatewayName(route) is null)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, rejection);
        }

        // A Gateway that is served keeps its address, and what it serves without the rejected fields.
        var generated = GatewayGenerator.Generate(route, source, gateway, unserved.Keys.ToHashSet(), policy, view);
        return new EnvoyGatewayTranslation(source.Origin, generated, [], rejection?.Message)
        {
            PolicyReason = rejection?.Reason,
            Reason = rejection?.Reason ?? RouteConditions.InstallationFailed,
            IgnoredFields = Ignored(source, policy),
            UnservedListeners = [.. unserved.Select(u => new UnservedListener(gateway.Spec!.Listeners![u.Key].Name, u.Value))],
        };
    }

    private static string? Ignored(SourceObject source, TenantPolicy policy)
    {
        var annotations = IgnoredAnnotations.MessageOf(source.Origin.Kind, source.Value.Metadata, policy.Annotations);
        return source.IgnoredFields is null ? annotations
            : annotations is null ? source.IgnoredFields
            : $"{source.IgnoredFields} {annotations}";
    }

    private static Rejection? AddressRejection(Gateway gateway, TenantPolicy policy) =>
        (gateway.Spec?.Addresses ?? []).FirstOrDefault(address => !GatewayGenerator.IsPermitted(address, policy)) is { } denied
            ? new Rejection(
                GatewayConditions.UnsupportedAddress,
                FieldMessages.AddressNotPermitted(MessageText.Quote(denied.Value ?? "", MaxQuoteLength))
            )
            : null;

    private static SortedDictionary<int, Rejection> UnservedListeners(
        Route route,
        SourceObject source,
        Gateway gateway,
        TenantPolicy policy,
        IManagementView view
    )
    {
        var unserved = new SortedDictionary<int, Rejection>();
        foreach (var (i, listener) in (gateway.Spec?.Listeners ?? []).Index())
        {
            if (source.UnservedListeners.Contains(i))
            {
                unserved[i] = new Rejection(GatewayConditions.UnsupportedValue, FieldMessages.FrontendValidation);
            }
            else if (IsInUse(route, listener.Hostname, policy, view))
            {
                var message = TenantMessages.ListenerHostnameInUse(
                    MessageText.Quote(listener.Hostname!, MaxQuoteLength),
                    MessageText.Quote(listener.Name, MaxQuoteLength)
                );
                unserved[i] = new Rejection(RouteConditions.HostnameInUse, message);
            }
        }

        return unserved;
    }

    private static bool IsInUse(Route route, string? hostname, TenantPolicy policy, IManagementView view) =>
        policy.HasExclusiveHostnames && !string.IsNullOrEmpty(hostname) && view.IsHostnameInUse(route, hostname);

    private static EnvoyGatewayTranslation TranslateRoute(
        Route route,
        SourceObject source,
        IGatewayRoute tenantRoute,
        TenantPolicy policy,
        IManagementView view,
        Func<PortNeed, int> proxyPort
    )
    {
        if ((source.TextRejection ?? source.FieldRejection ?? RouteGenerator.Rejection(tenantRoute, policy)) is { } rejection)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, rejection);
        }

        if (tenantRoute.ParentRefs.Count == 0)
        {
            return new EnvoyGatewayTranslation(source.Origin, RouteGenerator.Park(route, source, policy, view), [], null)
            {
                IsParked = true,
            };
        }

        if (tenantRoute.Hostnames.FirstOrDefault(h => IsInUse(route, h, policy, view)) is { } used)
        {
            var message = TenantMessages.HostnameInUse(MessageText.Quote(used, MaxQuoteLength));
            return EnvoyGatewayTranslation.Rejected(source.Origin, new Rejection(RouteConditions.HostnameInUse, message));
        }

        if (policy.NodePorts.Problem(source.UsedServices) is { } problem)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, problem);
        }

        if (RouteGenerator.UnnamedParent(tenantRoute, source.Origin, view) is { } gatewayKey)
        {
            return new EnvoyGatewayTranslation(source.Origin, null, [], null, WaitingFor: gatewayKey);
        }

        var plans = source
            .Services.Zip(source.UsedServices)
            .Select(s => (Service: s.First, Ports: ServiceGenerator.Ports(s.First, s.Second, policy)))
            .Where(s => s.Ports.Count > 0)
            .Select(s => ServiceGenerator.Generate(route, source.Origin, s.Service, s.Ports, policy, proxyPort, view))
            .ToList();
        var (existing, missing) = view.CountServices(plans.Select(p => p.Service.Metadata.Name));
        if (missing > 0 && existing + missing > policy.MaxTotalServices)
        {
            // What is served stays.
            var message = TenantMessages.TotalServicesReached(TenantNames.TenantOf(route.Namespace) ?? "", policy.MaxTotalServices);
            return EnvoyGatewayTranslation.Failed(source.Origin, message, RouteConditions.LimitExceeded) with
            {
                PolicyReason = RouteConditions.LimitExceeded,
            };
        }

        var services = plans.ToDictionary(p => (p.OriginNamespace, p.OriginName), p => p.Service);
        var generated = RouteGenerator.Generate(route, source.Origin, tenantRoute, policy, services, view);
        var parts = RouteGenerator.SplitParents(route, generated, view);
        return new EnvoyGatewayTranslation(source.Origin, generated, plans, null)
        {
            IgnoredFields = Ignored(source, policy),
            FurtherRoutes = parts,
            Retries = RetryPolicyGenerator.Generate(route, source.Origin, source.Value.Metadata, [generated, .. parts], policy, view),
        };
    }
}

/// <summary>The result of translating a Route.</summary>
/// <param name="Origin">The tenant's object; null if the Route has none that is supported.</param>
/// <param name="Generated">The Gateway, HTTPRoute or GRPCRoute; null if there is a problem or the Route is pending.</param>
/// <param name="Services">The Services, to be written before <paramref name="Generated"/>.</param>
/// <param name="Problem">
/// Why nothing can be generated, and how to correct it; null if it can. With <paramref name="Generated"/>: why a Gateway that is served is
/// rejected; it is generated without the rejected fields.
/// </param>
/// <param name="WaitingFor">
/// <c>namespace/name</c> of a parent Gateway whose generated name is not assigned yet: until then nothing is written, so that the route is
/// complete when it is created. Null if there is none.
/// </param>
public sealed record EnvoyGatewayTranslation(
    RouteOrigin? Origin,
    ApiObject? Generated,
    IReadOnlyList<GeneratedServicePlan> Services,
    string? Problem,
    string? WaitingFor = null
)
{
    /// <summary>Whether the Route is rejected: the objects generated from it are deleted.</summary>
    public bool IsRejected { get; private init; }

    /// <summary>
    /// The reason of <see cref="RouteConditions.Permitted"/> if the administrator's settings or an unsupported field reject the Route; else
    /// null.
    /// </summary>
    public string? PolicyReason { get; internal init; }

    /// <summary>The reason of the condition that reports <see cref="Problem"/>.</summary>
    public string Reason { get; internal init; } = RouteConditions.InstallationFailed;

    /// <summary>A message that lists the ignored fields of the tenant's object; null if there are none.</summary>
    public string? IgnoredFields { get; internal init; }

    /// <summary>Why the next version will reject the object, which only earlier defaults permit; null if it will not.</summary>
    public string? UpcomingRejection { get; internal init; }

    /// <summary>The Gateway's listeners that are not served.</summary>
    public IReadOnlyList<UnservedListener> UnservedListeners { get; internal init; } = [];

    /// <summary>Whether <see cref="Generated"/> is a route without parents, which only preserves its age.</summary>
    public bool IsParked { get; internal init; }

    /// <summary>
    /// For a rejected Route whose generated route exists, and may be served again: that route without parents, which preserves its age.
    /// Null if it is deleted.
    /// </summary>
    public ApiObject? Parked { get; internal init; }

    /// <summary>
    /// Further routes with the parentRefs that exceed the limit of <see cref="Generated"/>; usually none. Their status is part of that of
    /// <see cref="Generated"/>.
    /// </summary>
    public IReadOnlyList<ApiObject> FurtherRoutes { get; internal init; } = [];

    /// <summary>
    /// The result of the retry annotations; null if the route has none. The policy is written after <see cref="Generated"/>.
    /// </summary>
    public RetryPlan? Retries { get; init; }

    /// <summary>The Route is rejected: nothing is generated, and the objects generated before are deleted.</summary>
    public static EnvoyGatewayTranslation Rejected(RouteOrigin? origin, string problem) =>
        new(origin, null, [], problem) { IsRejected = true, Reason = RouteConditions.Rejected };

    /// <summary>The administrator's settings for the tenant, or a field that is not supported, reject the Route.</summary>
    public static EnvoyGatewayTranslation Rejected(RouteOrigin? origin, Rejection rejection) =>
        Rejected(origin, rejection.Message) with
        {
            PolicyReason = rejection.Reason,
            Reason = rejection.Reason,
        };

    /// <summary>Nothing can be generated for now, although the Route is valid: the objects generated before are kept.</summary>
    public static EnvoyGatewayTranslation Failed(RouteOrigin? origin, string problem, string reason = RouteConditions.InstallationFailed) =>
        new(origin, null, [], problem) { Reason = reason };
}

/// <summary>A listener that is not served.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rejection">Why.</param>
public sealed record UnservedListener(string Name, Rejection Rejection);
