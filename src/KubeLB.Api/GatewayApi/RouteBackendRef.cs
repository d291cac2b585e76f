namespace KubeLB.Api.GatewayApi;

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
    /// <summary>Share of requests, 1 if absent; 0 sends none.</summary>
    public int? Weight { get; set; }

    /// <summary>Filters for requests to this backend only.</summary>
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
