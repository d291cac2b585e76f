using System.Text.Json.Nodes;

namespace KubeLB.Api.V1Alpha1;

/// <summary>Status of a <see cref="Route"/>, written by the manager.</summary>
public sealed class RouteStatus : Extensible
{
    /// <summary>
    /// Summary: <see cref="RouteConditions.Accepted"/> and <see cref="RouteConditions.Programmed"/>, with the Route's own generation.
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

/// <summary>An object generated in the management cluster, with the identity of the tenant's object.</summary>
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
    /// Generation of the tenant's spec that the generated object was last generated from (<see cref="Annotations.SourceGeneration"/>);
    /// absent if the manager does not report it.
    /// </summary>
    public long? SourceGeneration { get; set; }

    /// <summary>Generation of the generated object that was generated from <see cref="SourceGeneration"/>.</summary>
    public long? Generation { get; set; }

    /// <summary>Status of the generated object, as its controller wrote it.</summary>
    public JsonObject? Status { get; set; }

    /// <summary>Whether it was applied: <see cref="RouteConditions.ResourceAppliedSuccessfully"/>.</summary>
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
    /// <summary>Reason: the route attaches to no listener.</summary>
    public const string NotAttached = "NotAttached";

    /// <summary>Type: whether the manager and Envoy Gateway accepted the Route.</summary>
    public const string Accepted = "Accepted";

    /// <summary>
    /// Type: whether Envoy Gateway programmed the Route with all its references, and no proxy of the tenant rejected it.
    /// </summary>
    public const string Programmed = "Programmed";

    /// <summary>Reason of <c>False</c>: the spec of the Route is rejected.</summary>
    public const string Rejected = "Rejected";

    /// <summary>Reason of <c>False</c>: the tenant's ResourceQuota in the management cluster is exhausted.</summary>
    public const string QuotaExceeded = "QuotaExceeded";

    /// <summary>
    /// Reason of <c>False</c>: an admission webhook or policy of the management cluster denied a generated object.
    /// </summary>
    public const string AdmissionDenied = "AdmissionDenied";

    /// <summary>Reason of <c>False</c>: the tenant's proxy has no free port.</summary>
    public const string PortsExhausted = "PortsExhausted";

    /// <summary>Type: whether a generated object was written.</summary>
    public const string ResourceAppliedSuccessfully = "ResourceAppliedSuccessfully";

    /// <summary>Reason of <c>True</c>.</summary>
    public const string InstallationSuccessful = "InstallationSuccessful";

    /// <summary>Reason of <c>False</c>; the error is the message.</summary>
    public const string InstallationFailed = "InstallationFailed";

    /// <summary>Message of <c>True</c>.</summary>
    public const string SuccessMessage = "Success";

    /// <summary>
    /// Type: False while the administrator's settings for the tenant reject the tenant's object; absent otherwise. The CCM reports its
    /// reason to the tenant.
    /// </summary>
    public const string Permitted = "Permitted";

    /// <summary>Reason of <see cref="Permitted"/>: Gateway API, or the object's kind, is disabled for the tenant.</summary>
    public const string Disabled = "Disabled";

    /// <summary>Reason of <see cref="Permitted"/>: older objects of the tenant use up the limit.</summary>
    public const string LimitExceeded = "LimitExceeded";

    /// <summary>Reason of <see cref="Permitted"/>: a hostname is not in the tenant's allowed domains.</summary>
    public const string HostnameNotAllowed = "HostnameNotAllowed";

    /// <summary>Reason of <see cref="Permitted"/>, and of listeners: another tenant used the hostname before.</summary>
    public const string HostnameInUse = "HostnameInUse";

    /// <summary>
    /// Type: whether the retry policy of the annotations gateway.envoyproxy.io/… is applied; absent if there are no annotations.
    /// </summary>
    public const string RetryPolicyApplied = "RetryPolicyApplied";

    /// <summary>
    /// Type: True while fields of the tenant's object are ignored; absent otherwise. The CCM reports it to the tenant.
    /// </summary>
    public const string FieldsIgnored = "FieldsIgnored";

    /// <summary>Reason of <see cref="FieldsIgnored"/>: KubeLB does not support the fields.</summary>
    public const string UnsupportedField = "UnsupportedField";

    /// <summary>
    /// Type: True while earlier defaults permit what the next version rejects (annotation kubelb.k8c.io/defaults of the Tenant); absent
    /// otherwise. The CCM reports it to the tenant.
    /// </summary>
    public const string DefaultExceeded = "DefaultExceeded";

    /// <summary>
    /// Reason of <see cref="DefaultExceeded"/>, and of a Tenant's <see cref="TenantDefaultsConditions.DefaultsCurrent"/>.
    /// </summary>
    public const string EarlierDefaults = "EarlierDefaults";

    /// <summary>Reason of <c>False</c>: an annotation is invalid or denied.</summary>
    public const string InvalidAnnotation = "InvalidAnnotation";

    /// <summary>
    /// Type: False while the route is not updated because a proxy rejected a new backend; absent otherwise. The CCM reports it to the
    /// tenant.
    /// </summary>
    public const string ProxyProgrammed = "ProxyProgrammed";

    /// <summary>
    /// Reason of <see cref="ProxyProgrammed"/> and <see cref="Programmed"/>: an Envoy proxy rejected it; the message has its error.
    /// </summary>
    public const string ProxyRejected = "ProxyRejected";
}
