namespace KubeLB.Api.GatewayApi;

/// <summary>Status of a route: one entry per parent and controller.</summary>
public sealed class RouteParentsStatus : Extensible
{
    /// <summary>At most 32 entries.</summary>
    public List<RouteParentStatus> Parents { get; set; } = [];
}

/// <summary>What a controller says of a route with respect to one parent.</summary>
public sealed class RouteParentStatus : Extensible
{
    /// <summary>The parentRef of the spec.</summary>
    public ParentReference ParentRef { get; set; } = new();

    /// <summary>The controller that wrote the entry.</summary>
    public string ControllerName { get; set; } = "";

    /// <summary>Conditions <c>Accepted</c>, <c>ResolvedRefs</c> and others.</summary>
    public List<Condition> Conditions { get; set; } = [];
}
