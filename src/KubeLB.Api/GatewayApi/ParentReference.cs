namespace KubeLB.Api.GatewayApi;

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
