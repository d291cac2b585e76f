using System.Text.Json;
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
    public static ApiObject Generate(
        Route route,
        RouteOrigin origin,
        IGatewayRoute source,
        TenantPolicy policy,
        IReadOnlyDictionary<(string Namespace, string Name), string> services,
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
            foreach (var filter in rule.Filters ?? [])
            {
                RewriteMirror(filter, origin, services);
            }

            foreach (var backendRef in rule.BackendRefs ?? [])
            {
                RewriteBackend(backendRef, origin, services);
                foreach (var filter in backendRef.Filters ?? [])
                {
                    RewriteMirror(filter, origin, services);
                }
            }
        }

        var contractName = GeneratedNames.ForRoute(origin.Namespace, origin.Name);
        var name = GeneratedNameChoice.Choose(route, origin.Kind, contractName, route.Status?.Resources?.Route?.GeneratedName, view);
        var generated = (ApiObject)copy;
        generated.Metadata = GeneratedMetadata.Build(
            route,
            name,
            origin,
            policy.Labels.Apply(source.Metadata.Labels),
            policy.Annotations.Apply(origin.Kind, source.Metadata.Annotations)
        );
        return generated;
    }

    /// <summary>Why the route is rejected; null if it is valid.</summary>
    public static Rejection? Rejection(IGatewayRoute source, TenantPolicy policy)
    {
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

    private static void RewriteMirror(RouteFilter filter, RouteOrigin origin, IReadOnlyDictionary<(string, string), string> services)
    {
        if (filter.RequestMirror?.BackendRef is { } backendRef)
        {
            RewriteBackend(backendRef, origin, services);
        }
    }

    private static void RewriteBackend(
        BackendObjectReference backendRef,
        RouteOrigin origin,
        IReadOnlyDictionary<(string Namespace, string Name), string> services
    )
    {
        var @namespace = backendRef.Namespace ?? origin.Namespace;
        backendRef.Name =
            backendRef.RefersToService() && services.TryGetValue((@namespace, backendRef.Name), out var generated)
                ? generated
                : UnresolvedNames.For(@namespace, backendRef.Name);
        backendRef.Namespace = null;
    }
}
