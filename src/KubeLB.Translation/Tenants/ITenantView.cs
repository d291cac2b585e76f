using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The objects of a tenant's cluster, and its Routes in the management cluster, that translation reads: cache look-ups without I/O.
/// Returned objects are shared and must not be modified.
/// </summary>
public interface ITenantView
{
    /// <summary>The current time.</summary>
    DateTimeOffset Now { get; }

    /// <summary>A GatewayClass by name.</summary>
    GatewayClass? GatewayClass(string name);

    /// <summary>All GatewayClasses.</summary>
    IEnumerable<GatewayClass> GatewayClasses();

    /// <summary>The Gateways of a name in any namespace.</summary>
    IEnumerable<Gateway> GatewaysNamed(string name);

    /// <summary>The Gateways of a namespace.</summary>
    IEnumerable<Gateway> GatewaysIn(string @namespace);

    /// <summary>A Gateway of any class.</summary>
    Gateway? Gateway(string @namespace, string name);

    /// <summary>Labels of a Namespace, null if it does not exist.</summary>
    IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace);

    /// <summary>A Service, including node-port Services.</summary>
    V1Service? Service(string @namespace, string name);

    /// <summary>The EndpointSlices of a Service; those of a Service with a selector may lack addresses.</summary>
    IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service);

    /// <summary>
    /// Why the node-port Service of a Service cannot be written, in the words of the API server; null if it can, or was not tried yet.
    /// </summary>
    string? NodePortServiceError(string @namespace, string name);

    /// <summary>A Secret; messages must not disclose its content.</summary>
    V1Secret? Secret(string @namespace, string name);

    /// <summary>The ReferenceGrants of a namespace; none if the kind is not installed.</summary>
    IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace);

    /// <summary>
    /// <c>namespace/name</c> of the tenant's object from which an object of the management cluster was generated; null if it is none of the
    /// tenant's.
    /// </summary>
    string? OriginOf(string generatedName);

    /// <summary>The Route of a tenant's Gateway in the management cluster.</summary>
    Route? GatewayRoute(string @namespace, string name);
}

/// <summary>The settings of a CCM that affect translation.</summary>
/// <param name="TenantNamespace">The tenant's namespace in the management cluster, for example <c>tenant-t</c>.</param>
/// <param name="UseGatewayClass">Whether KubeLB serves only Gateways of its classes; if false, it serves all Gateways.</param>
/// <param name="EnforceReferenceGrants">
/// Whether a backend in another namespace than its route requires a ReferenceGrant. Certificates always do.
/// </param>
public sealed record TenantSettings(string TenantNamespace, bool UseGatewayClass = true, bool EnforceReferenceGrants = false)
{
    /// <summary>Why nothing is served by a CCM without <c>--enable-gateway-api</c>.</summary>
    public const string GatewayApiNotEnabled =
        "Gateway API is not enabled, so no Gateway and no route is served. Start the CCM with --enable-gateway-api.";

    /// <summary>Whether the CCM syncs Gateways to the management cluster.</summary>
    public bool IsGatewayControllerEnabled { get; init; } = true;

    /// <summary>Whether the CCM syncs HTTPRoutes.</summary>
    public bool IsHttpRouteControllerEnabled { get; init; } = true;

    /// <summary>Whether the CCM syncs GRPCRoutes.</summary>
    public bool IsGrpcRouteControllerEnabled { get; init; } = true;

    /// <summary>Whether the CCM syncs routes of a kind.</summary>
    public bool IsControllerEnabled(string kind) =>
        kind switch
        {
            HttpRoute.KindName => IsHttpRouteControllerEnabled,
            GrpcRoute.KindName => IsGrpcRouteControllerEnabled,
            _ => false,
        };
}
