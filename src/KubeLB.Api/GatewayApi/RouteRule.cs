namespace KubeLB.Api.GatewayApi;

/// <summary>What the rules of HTTPRoute and GRPCRoute have in common.</summary>
public abstract class RouteRule : Extensible
{
    /// <summary>Name, unique within the route.</summary>
    public string? Name { get; set; }

    /// <summary>Filters for every request that the rule matches.</summary>
    public List<RouteFilter>? Filters { get; set; }

    /// <summary>Where matching requests go.</summary>
    public List<RouteBackendRef>? BackendRefs { get; set; }
}
