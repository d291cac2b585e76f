namespace KubeLB.Api.V1Alpha1;

/// <summary>Settings that Config and Tenant have in common. Those of the Tenant override those of the Config.</summary>
public abstract class LayeredSettings : PropagationSettings
{
    /// <summary>Gateway API settings.</summary>
    public GatewayApiSettings? GatewayAPI { get; set; }

    /// <summary>
    /// Domains of the hostnames that listeners and routes may have. <c>example.com</c> allows itself; <c>*.example.com</c> also hostnames
    /// with one more label; <c>**.example.com</c> also hostnames with more labels; <c>*</c> and <c>**</c> allow every hostname. If absent
    /// or empty, every hostname is allowed.
    /// </summary>
    public List<string>? AllowedDomains { get; set; }

    /// <summary>Limits of the size of a tenant's objects.</summary>
    public SizeLimits? Limits { get; set; }
}

/// <summary>
/// Limits of the size of a tenant's objects. An object beyond a limit is rejected with reason LimitExceeded, and needs almost no memory.
/// </summary>
public sealed class SizeLimits : Extensible
{
    /// <summary>
    /// Maximum size of one Route with its Services in bytes of JSON, at most <see cref="RouteSpecJson.MaxSize"/>; 262144 (256 KiB) if
    /// absent.
    /// </summary>
    public int? RouteBytes { get; set; }

    /// <summary>Maximum size of all Routes in bytes of JSON, the oldest first; 8388608 (8 MiB) if absent.</summary>
    public int? TotalBytes { get; set; }

    /// <summary>Maximum number of Services that one route refers to; 64 if absent.</summary>
    public int? Services { get; set; }

    /// <summary>
    /// Maximum number of Services that are generated for all routes of a tenant; 2000 if absent. Each needs an IP address of the management
    /// cluster.
    /// </summary>
    public int? TotalServices { get; set; }

    /// <summary>Maximum number of ports of the Services that one route refers to; 256 if absent.</summary>
    public int? Ports { get; set; }

    /// <summary>Maximum number of listeners of one Gateway; 64 if absent, the maximum of Gateway API.</summary>
    public int? Listeners { get; set; }

    /// <summary>Maximum number of hostnames of one route; 64 if absent. Gateway API permits 16.</summary>
    public int? Hostnames { get; set; }

    /// <summary>Maximum number of backendRefs of one route; 256 if absent, which is 16 rules with 16 each.</summary>
    public int? Backends { get; set; }
}

/// <summary>Which of a tenant's annotations are propagated to the generated objects.</summary>
public abstract class PropagationSettings : Extensible
{
    /// <summary>Allowed annotation keys (globs) with comma-separated allowed values; an empty value allows any.</summary>
    public Dictionary<string, string>? PropagatedAnnotations { get; set; }

    /// <summary>Allowed label keys (globs), in addition to those that are always allowed.</summary>
    public List<string>? PropagatedLabels { get; set; }

    /// <summary>Propagates all annotations that are not denied.</summary>
    public bool? PropagateAllAnnotations { get; set; }

    /// <summary>Annotation keys (globs) that are never propagated.</summary>
    public List<string>? DeniedAnnotations { get; set; }

    /// <summary>Annotations to add, by resource kind (or <c>all</c>). They never override propagated annotations.</summary>
    public Dictionary<string, Dictionary<string, string>>? DefaultAnnotations { get; set; }
}

/// <summary>Gateway API settings of a Config or Tenant.</summary>
public sealed class GatewayApiSettings : Extensible
{
    /// <summary>GatewayClass of generated Gateways; <see cref="DefaultClass"/> if absent on Tenant and Config.</summary>
    public string? Class { get; set; }

    /// <summary>Disables Gateway API.</summary>
    public bool? Disable { get; set; }

    /// <summary>Disables HTTPRoutes.</summary>
    public bool? DisableHTTPRoute { get; set; }

    /// <summary>Disables GRPCRoutes.</summary>
    public bool? DisableGRPCRoute { get; set; }

    /// <summary>Settings of Gateways.</summary>
    public LimitSettings? Gateway { get; set; }

    /// <summary>Settings of routes: HTTPRoutes and GRPCRoutes together.</summary>
    public LimitSettings? Route { get; set; }

    /// <summary>
    /// Maximum number of retries that a route can configure, 0 or more; <see cref="DefaultMaxRetries"/> if absent on Tenant and Config.
    /// </summary>
    public int? MaxRetries { get; set; }

    /// <summary>
    /// IP ranges (CIDR) from which Gateways may request addresses in <c>spec.addresses</c>; none if absent on Tenant and Config. Envoy
    /// Gateway makes them addresses of a Service, so each must be reserved for the tenant.
    /// </summary>
    public List<string>? GatewayAddresses { get; set; }

    /// <summary>The Gateway for routes that the Go manager generates from Ingresses; ignored.</summary>
    public ObjectReference? DefaultGateway { get; set; }

    /// <summary>The class if neither the Tenant nor the Config sets one: Envoy Gateway's usual <c>eg</c>.</summary>
    public const string DefaultClass = "eg";

    /// <summary>The maximum number of retries if neither the Tenant nor the Config sets one.</summary>
    public const int DefaultMaxRetries = 10;
}

/// <summary>How many objects of a kind a tenant may have.</summary>
public sealed class LimitSettings : Extensible
{
    /// <summary>The maximum number, 0 or more; the oldest objects are served. If absent, 100 Gateways, and 10,000 routes.</summary>
    public int? Limit { get; set; }
}

/// <summary>
/// Which node addresses and node ports of a tenant its proxies may send traffic to, in a Config or Tenant. An addition of this project.
/// Addresses that no entry matches are rejected if they are loopback, link-local or otherwise reserved; all others are used.
/// </summary>
public sealed class AddressSettings : Extensible
{
    /// <summary>Ranges (CIDR) that are used although they are rejected by default.</summary>
    public List<string>? Allow { get; set; }

    /// <summary>Ranges (CIDR) that are not used. Takes precedence over <see cref="Allow"/> of the same object.</summary>
    public List<string>? Deny { get; set; }

    /// <summary>
    /// If set, only addresses in these ranges (CIDR) are used, and no host names, except those in <see cref="Allow"/> and
    /// <see cref="AllowHostnames"/>. Those of a Tenant replace those of the Config.
    /// </summary>
    public List<string>? Ranges { get; set; }

    /// <summary>Host names (<c>*</c> stands for any characters) that are used although they are rejected by default.</summary>
    public List<string>? AllowHostnames { get; set; }

    /// <summary>
    /// Host names (<c>*</c> stands for any characters) that are not used. Takes precedence over <see cref="AllowHostnames"/> of the same
    /// object.
    /// </summary>
    public List<string>? DenyHostnames { get; set; }

    /// <summary>Maximum number of addresses of a tenant; 1000 if absent.</summary>
    public int? Maximum { get; set; }

    /// <summary>Permitted node ports of Services: ports and ranges, separated by commas; <c>30000-32767</c> if absent.</summary>
    public string? NodePorts { get; set; }
}

/// <summary>
/// Conditions of the Config; <see cref="SettingsValid"/> is also one of a Tenant, and absent there if all settings are valid.
/// </summary>
public static class SettingsConditions
{
    /// <summary>
    /// Type, on the Config: whether the management cluster's own addresses are known, which are rejected as node addresses by default.
    /// </summary>
    public const string ManagementRangesKnown = "ManagementRangesKnown";

    /// <summary>Reason of False: the API server does not tell a range, and <c>spec.addresses.deny</c> is empty.</summary>
    public const string RangesUnknown = "RangesUnknown";

    /// <summary>Reason of True: the administrator has listed ranges in <c>spec.addresses.deny</c>.</summary>
    public const string RangesDeclared = "RangesDeclared";

    /// <summary>Reason of True: the API server tells every range.</summary>
    public const string RangesKnown = "RangesKnown";

    /// <summary>Type: False while a setting is invalid.</summary>
    public const string SettingsValid = "SettingsValid";

    /// <summary>Reason of False; the message names the fields, the consequences and valid values.</summary>
    public const string InvalidSettings = "InvalidSettings";

    /// <summary>Reason of True.</summary>
    public const string Valid = "Valid";

    /// <summary>Type, on the Config: False while Envoy Gateway does not report on generated objects.</summary>
    public const string EnvoyGatewayResponding = "EnvoyGatewayResponding";

    /// <summary>Reason of True: no report is overdue.</summary>
    public const string Responding = "Responding";

    /// <summary>Reason of False: a report is overdue.</summary>
    public const string NotResponding = "NotResponding";

    /// <summary>Type, of the Config: False while there are several Tenants, and some may use every hostname.</summary>
    public const string DomainsRestricted = "DomainsRestricted";

    /// <summary>Reason of False: neither the Config nor the Tenants set <see cref="LayeredSettings.AllowedDomains"/>.</summary>
    public const string AllowedDomainsNotSet = "AllowedDomainsNotSet";

    /// <summary>Reason of True: the allowed domains are set, or there is only one Tenant.</summary>
    public const string Restricted = "Restricted";
}
