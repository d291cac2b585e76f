namespace KubeLB.Api.GatewayApi;

/// <summary>The common part of HTTPRoute and GRPCRoute.</summary>
public interface IGatewayRoute : k8s.IKubernetesObject<k8s.Models.V1ObjectMeta>
{
    /// <summary>The parents, usually Gateways, to attach to.</summary>
    List<ParentReference> ParentRefs { get; }

    /// <summary>Hostnames; empty means those of the listeners.</summary>
    IReadOnlyList<string> Hostnames { get; }

    /// <summary>The rules in order.</summary>
    IReadOnlyList<RouteRule> Rules { get; }

    /// <summary>Status, of the same type for both kinds.</summary>
    RouteParentsStatus? Status { get; set; }
}

/// <summary>The common part of the rules of HTTPRoute and GRPCRoute.</summary>
public abstract class RouteRule : Extensible
{
    /// <summary>Name, unique within the route.</summary>
    public string? Name { get; set; }

    /// <summary>Filters for every request that the rule matches.</summary>
    public List<RouteFilter>? Filters { get; set; }

    /// <summary>The backends of matching requests.</summary>
    public List<RouteBackendRef>? BackendRefs { get; set; }
}

/// <summary>Reference to a backend with its port.</summary>
public class BackendObjectReference : Extensible
{
    /// <summary>API group, core if absent.</summary>
    public string? Group { get; set; }

    /// <summary>Kind, Service if absent.</summary>
    public string? Kind { get; set; }

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Namespace, the route's if absent.</summary>
    public string? Namespace { get; set; }

    /// <summary>Port of the Service; required for Services.</summary>
    public int? Port { get; set; }
}

/// <summary>A weighted backend of a rule.</summary>
public sealed class RouteBackendRef : BackendObjectReference
{
    /// <summary>Weight relative to the other backends of the rule, 1 if absent. A backend of weight 0 gets no requests.</summary>
    public int? Weight { get; set; }

    /// <summary>Filters of requests to this backend.</summary>
    public List<RouteFilter>? Filters { get; set; }
}

/// <summary>Reference to an object of the same namespace.</summary>
public sealed class LocalObjectReference : Extensible
{
    /// <summary>API group.</summary>
    public string? Group { get; set; }

    /// <summary>Kind.</summary>
    public string? Kind { get; set; }

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";
}

/// <summary>Reference of a route to its parent, usually a Gateway.</summary>
public sealed class ParentReference : Extensible
{
    /// <summary>API group, Gateway API's if absent.</summary>
    public string? Group { get; set; }

    /// <summary>Kind, Gateway if absent.</summary>
    public string? Kind { get; set; }

    /// <summary>Namespace, the route's if absent.</summary>
    public string? Namespace { get; set; }

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Listener; all if absent.</summary>
    public string? SectionName { get; set; }

    /// <summary>Listener port; all if absent.</summary>
    public int? Port { get; set; }
}

/// <summary>Status of a route: one entry per parent and controller.</summary>
public sealed class RouteParentsStatus : Extensible
{
    /// <summary>At most 32 entries.</summary>
    public List<RouteParentStatus> Parents { get; set; } = [];
}

/// <summary>A controller's report on a route for one parent.</summary>
public sealed class RouteParentStatus : Extensible
{
    /// <summary>The parentRef of the spec.</summary>
    public ParentReference ParentRef { get; set; } = new();

    /// <summary>The controller that wrote the entry.</summary>
    public string ControllerName { get; set; } = "";

    /// <summary>Conditions <c>Accepted</c>, <c>ResolvedRefs</c> and others.</summary>
    public List<Condition> Conditions { get; set; } = [];
}
