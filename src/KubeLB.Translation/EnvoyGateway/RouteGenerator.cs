using System.Text.Json;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Fields;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Translates a tenant's HTTPRoute or GRPCRoute to the one for Envoy Gateway: names of parents and backends are replaced by those of the
/// generated objects; the other fields that have a decision are unchanged.
/// </summary>
internal static class RouteGenerator
{
    // The limit of Gateway API's CustomResourceDefinitions.
    private const int MaxParentRefs = 32;

    // The number of listeners that a Gateway can have. Also limits the objects that are generated from one Route.
    private const int MaxListeners = 64;

    public static ApiObject Generate(
        Route route,
        RouteOrigin origin,
        IGatewayRoute source,
        TenantPolicy policy,
        IReadOnlyDictionary<(string Namespace, string Name), V1Service> services,
        IManagementView view
    )
    {
        var copy = Copy(source);
        foreach (var parentRef in copy.ParentRefs)
        {
            RewriteParent(parentRef, origin, view);
        }

        foreach (var rule in copy.Rules)
        {
            rule.Filters = RewriteMirrors(rule.Filters, origin, services);
            foreach (var backendRef in rule.BackendRefs ?? [])
            {
                RewriteBackend(backendRef, origin, services);
                backendRef.Filters = RewriteMirrors(backendRef.Filters, origin, services);
            }
        }

        var generated = (ApiObject)copy;
        generated.Metadata = Metadata(route, origin, source.Metadata, policy, view);
        return generated;
    }

    /// <summary>
    /// The generated route without parents, hostnames and rules. Envoy Gateway prefers the older of two routes with equal matches, so a
    /// route that is not served for some time must keep its age.
    /// </summary>
    public static ApiObject Park(Route route, SourceObject source, TenantPolicy policy, IManagementView view)
    {
        ApiObject parked =
            source.Value is HttpRoute
                ? new HttpRoute { Spec = new HttpRouteSpec { ParentRefs = [] } }
                : new GrpcRoute { Spec = new GrpcRouteSpec { ParentRefs = [] } };
        parked.Metadata = Metadata(route, source.Origin, source.Value.Metadata, policy, view);
        return parked;
    }

    /// <summary>The same if the generated route exists; else null.</summary>
    public static ApiObject? ParkExisting(Route route, SourceObject source, TenantPolicy policy, IManagementView view)
    {
        var parked = Park(route, source, policy, view);
        return view.HolderOf(parked.Kind, parked.Name) is { IsTaken: true } holder && holder.RouteUid == route.Uid() ? parked : null;
    }

    private static V1ObjectMeta Metadata(Route route, RouteOrigin origin, V1ObjectMeta source, TenantPolicy policy, IManagementView view)
    {
        var contractName = GeneratedNames.ForRoute(origin.Namespace, origin.Name);
        return GeneratedMetadata.Build(
            route,
            GeneratedNameChoice.Choose(route, origin.Kind, contractName, route.Status?.Resources?.Route?.GeneratedName, view),
            origin,
            policy.Labels.Apply(source.Labels),
            policy.Annotations.Apply(origin.Kind, source.Annotations)
        );
    }

    /// <summary>
    /// Moves the parentRefs that exceed the limit of one route to further routes with the same rules, which it returns.
    /// </summary>
    public static IReadOnlyList<ApiObject> SplitParents(Route route, ApiObject generated, IManagementView view)
    {
        var parentRefs = ((IGatewayRoute)generated).ParentRefs;
        if (parentRefs.Count <= MaxParentRefs)
        {
            return [];
        }

        var parts = new List<ApiObject>();
        foreach (var (i, chunk) in parentRefs.Skip(MaxParentRefs).Chunk(MaxParentRefs).Index())
        {
            var part = Copy((IGatewayRoute)generated);
            part.ParentRefs.Clear();
            part.ParentRefs.AddRange(chunk);
            part.Metadata = ApiJson.Copy(generated.Metadata);
            part.Metadata.Name = GeneratedNameChoice.Choose(
                route,
                generated.Kind,
                GeneratedNames.ForPart(generated.Name, i + 2),
                nameInStatus: null,
                view
            );
            parts.Add((ApiObject)part);
        }

        parentRefs.RemoveRange(MaxParentRefs, parentRefs.Count - MaxParentRefs);
        return parts;
    }

    /// <summary>Why the route is rejected; null if it is valid.</summary>
    public static Rejection? Rejection(IGatewayRoute source, TenantPolicy policy)
    {
        if (source.ParentRefs.Count > MaxListeners)
        {
            return new Rejection(GatewayConditions.UnsupportedValue, RouteMessages.TooManyListeners(source.ParentRefs.Count, MaxListeners));
        }

        var supported = source is HttpRoute ? RouteFilterTypes.OfHttpRoutes : RouteFilterTypes.OfGrpcRoutes;
        var filters = source.Rules.SelectMany(rule =>
            (rule.Filters ?? []).Concat((rule.BackendRefs ?? []).SelectMany(backendRef => backendRef.Filters ?? []))
        );
        var problem =
            filters
                .Where(filter => !supported.Contains(filter.Type))
                .Select(filter => FieldMessages.UnsupportedFilter(filter.Type, supported))
                .FirstOrDefault()
            ?? HeaderFormat.Problem(source)
            ?? source
                .Rules.Select(AttemptsOf)
                .Where(attempts => attempts > policy.MaxRetries)
                .Select(attempts => FieldMessages.TooManyAttempts(attempts, policy.MaxRetries))
                .FirstOrDefault();
        return problem is null ? null : new Rejection(GatewayConditions.UnsupportedValue, problem);
    }

    // The field is in the experimental channel and has no type.
    private static long AttemptsOf(RouteRule rule) =>
        rule.Unknown?.GetValueOrDefault("retry") is { ValueKind: JsonValueKind.Object } retry
        && retry.TryGetProperty("attempts", out var attempts)
        && attempts.ValueKind == JsonValueKind.Number
            ? attempts.TryGetInt64(out var number)
                ? number
                : long.MaxValue
            : 0;

    /// <summary><c>namespace/name</c> of a parent whose Route has not been reconciled yet; null if there is none.</summary>
    public static string? UnnamedParent(IGatewayRoute source, RouteOrigin origin, IManagementView view) =>
        source
            .ParentRefs.Where(p => p.RefersToGateway())
            .Select(p => (Namespace: p.Namespace ?? origin.Namespace, p.Name))
            .Where(p =>
                view.GatewayRoute(p.Namespace, p.Name) is { Status.Resources.Route: null } or { Status: null } or { Status.Resources: null }
            )
            .Select(p => $"{p.Namespace}/{p.Name}")
            .FirstOrDefault();

    private static IGatewayRoute Copy(IGatewayRoute source) =>
        source switch
        {
            HttpRoute http => new HttpRoute { Spec = ApiJson.Copy(http.Spec ?? new HttpRouteSpec()) },
            GrpcRoute grpc => new GrpcRoute { Spec = ApiJson.Copy(grpc.Spec ?? new GrpcRouteSpec()) },
            _ => throw new ArgumentException($"{source.Kind} is not a route.", nameof(source)),
        };

    private static void RewriteParent(ParentReference parentRef, RouteOrigin origin, IManagementView view)
    {
        var @namespace = parentRef.Namespace ?? origin.Namespace;
        var gateway = parentRef.RefersToGateway() ? view.GatewayRoute(@namespace, parentRef.Name) : null;
        parentRef.Name = (gateway is null ? null : view.GatewayName(gateway)) ?? UnresolvedNames.For(@namespace, parentRef.Name);
        parentRef.Namespace = null;
    }

    // A mirror without a valid backend is omitted, since Envoy Gateway would respond with 500 to all requests of the rule.
    private static List<RouteFilter>? RewriteMirrors(
        List<RouteFilter>? filters,
        RouteOrigin origin,
        IReadOnlyDictionary<(string Namespace, string Name), V1Service> services
    )
    {
        var omitted = filters?.RemoveAll(filter =>
            filter.RequestMirror?.BackendRef is { } backendRef && !RewriteBackend(backendRef, origin, services)
        );
        return omitted > 0 && filters!.Count == 0 ? null : filters;
    }

    /// <returns>
    /// Whether the backend is valid. An invalid one gets a name that does not exist, so that Envoy Gateway responds with 500.
    /// </returns>
    private static bool RewriteBackend(
        BackendObjectReference backendRef,
        RouteOrigin origin,
        IReadOnlyDictionary<(string Namespace, string Name), V1Service> services
    )
    {
        var @namespace = backendRef.Namespace ?? origin.Namespace;
        var generated =
            backendRef.RefersToService()
            && services.TryGetValue((@namespace, backendRef.Name), out var service)
            && BackendPort.Problem(service, backendRef.Port, origin.Kind) is null
                ? service
                : null;
        backendRef.Name = generated?.Metadata.Name ?? UnresolvedNames.For(@namespace, backendRef.Name);
        backendRef.Namespace = null;
        return generated is not null;
    }
}
