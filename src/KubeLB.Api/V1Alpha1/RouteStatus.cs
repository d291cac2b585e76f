using System.Text.Json.Nodes;

namespace KubeLB.Api.V1Alpha1;

/// <summary>Status of a <see cref="Route"/>, written by the manager.</summary>
public sealed class RouteStatus : Extensible
{
    /// <summary>
    /// At a glance: <see cref="RouteConditions.Accepted"/> and <see cref="RouteConditions.Programmed"/>, of the Route's own generation.
    /// An addition; the Go manager does not write it.
    /// </summary>
    public List<Condition>? Conditions { get; set; }

    /// <summary>The generated objects.</summary>
    public RouteResources? Resources { get; set; }
}

/// <summary>The objects generated from a Route.</summary>
public sealed class RouteResources : Extensible
{
    /// <summary>Name of the source; informational.</summary>
    public string? Source { get; set; }

    /// <summary>The generated Gateway, HTTPRoute or GRPCRoute.</summary>
    public GeneratedObject? Route { get; set; }

    /// <summary>The generated Services by <c>namespace/name</c> of the tenant's Service.</summary>
    public Dictionary<string, GeneratedService>? Services { get; set; }
}

/// <summary>An object generated in the management cluster, beside the tenant's object that it stands for.</summary>
public class GeneratedObject : Extensible
{
    /// <summary>Group and version.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Kind.</summary>
    public string? Kind { get; set; }

    /// <summary>Name of the tenant's object.</summary>
    public string? Name { get; set; }

    /// <summary>Namespace of the tenant's object.</summary>
    public string? Namespace { get; set; }

    /// <summary>Name of the generated object, in the Route's namespace.</summary>
    public string? GeneratedName { get; set; }

    /// <summary>
    /// Generation of the tenant's spec that the generated object was last made from
    /// (<see cref="Annotations.SourceGeneration"/>); absent from managers that do not tell.
    /// </summary>
    public long? SourceGeneration { get; set; }

    /// <summary>Generation of the generated object that holds <see cref="SourceGeneration"/>.</summary>
    public long? Generation { get; set; }

    /// <summary>Whole status of the generated object, as its controller wrote it.</summary>
    public JsonObject? Status { get; set; }

    /// <summary>Whether it could be applied: <see cref="RouteConditions.ResourceAppliedSuccessfully"/>.</summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>A Service generated in the management cluster.</summary>
public sealed class GeneratedService : GeneratedObject
{
    /// <summary>Its ports; <c>targetPort</c> is the port of the tenant's proxy.</summary>
    public List<RouteServicePort>? Ports { get; set; }
}
