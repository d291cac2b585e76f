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

/// <summary>Condition types and reasons of a Route's status.</summary>
public static class RouteConditions
{
    /// <summary>Of the whole Route: whether the manager and Envoy Gateway took it.</summary>
    public const string Accepted = "Accepted";

    /// <summary>
    /// Of the whole Route: whether Envoy Gateway reports that it serves it, with all its references, and no proxy of the tenant refuses it.
    /// </summary>
    public const string Programmed = "Programmed";

    /// <summary>Reason of <c>False</c>: what the Route says is refused; the message tells what to change.</summary>
    public const string Rejected = "Rejected";

    /// <summary>Reason of <c>False</c>: the tenant's quota in the management cluster is used up.</summary>
    public const string QuotaExceeded = "QuotaExceeded";

    /// <summary>Reason of <c>False</c>: the tenant's proxy has no port left.</summary>
    public const string PortsExhausted = "PortsExhausted";

    /// <summary>Whether a generated object was written.</summary>
    public const string ResourceAppliedSuccessfully = "ResourceAppliedSuccessfully";

    /// <summary>Reason of <c>True</c>.</summary>
    public const string InstallationSuccessful = "InstallationSuccessful";

    /// <summary>Reason of <c>False</c>; the error is the message.</summary>
    public const string InstallationFailed = "InstallationFailed";

    /// <summary>Message of <c>True</c>.</summary>
    public const string SuccessMessage = "Success";

    /// <summary>
    /// Type: False while the operator's settings for the tenant do not permit the tenant's object; there is none otherwise. Its reason is
    /// shown to the tenant.
    /// </summary>
    public const string Permitted = "Permitted";

    /// <summary>Reason of <see cref="Permitted"/>: Gateway API, or the object's kind, is switched off for the tenant.</summary>
    public const string Disabled = "Disabled";

    /// <summary>Reason of <see cref="Permitted"/>: older objects of the tenant have all the places.</summary>
    public const string LimitExceeded = "LimitExceeded";

    /// <summary>Reason of <see cref="Permitted"/>: a hostname is not of the domains that the tenant may use.</summary>
    public const string HostnameNotAllowed = "HostnameNotAllowed";

    /// <summary>
    /// Whether the retries that annotations ask for are in force (see <see cref="EnvoyGateway.RetryAnnotations"/>); absent where there are
    /// none.
    /// </summary>
    public const string RetryPolicyApplied = "RetryPolicyApplied";

    /// <summary>Reason of <c>False</c>: an annotation has a value that is not allowed; the message says which are.</summary>
    public const string InvalidAnnotation = "InvalidAnnotation";

    /// <summary>
    /// Type: False while the route is held back because a proxy rejected its new backend; absent otherwise. The tenant sees it.
    /// </summary>
    public const string ProxyProgrammed = "ProxyProgrammed";

    /// <summary>
    /// Reason of <see cref="ProxyProgrammed"/> and <see cref="Programmed"/>: a proxy rejected it; the message has Envoy's error.
    /// </summary>
    public const string ProxyRejected = "ProxyRejected";
}
