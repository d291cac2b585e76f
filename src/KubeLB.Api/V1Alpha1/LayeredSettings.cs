namespace KubeLB.Api.V1Alpha1;

/// <summary>Settings that the Config gives for all tenants and a Tenant for itself; the Tenant's win.</summary>
public abstract class LayeredSettings : PropagationSettings
{
    /// <summary>Gateway API settings.</summary>
    public GatewayApiSettings? GatewayAPI { get; set; }

    /// <summary>
    /// Domains that listeners and routes may have hostnames of: <c>example.com</c> itself, <c>*.example.com</c> with one more label,
    /// <c>**.example.com</c> with any number of them (both also <c>example.com</c>), <c>*</c> and <c>**</c> all. Absent or empty allows
    /// all.
    /// </summary>
    public List<string>? AllowedDomains { get; set; }
}

/// <summary>Which of a tenant's annotations reach the generated objects.</summary>
public abstract class PropagationSettings : Extensible
{
    /// <summary>Allowed annotation keys (globs) with comma-separated allowed values; an empty value allows any.</summary>
    public Dictionary<string, string>? PropagatedAnnotations { get; set; }

    /// <summary>Let every annotation through that is not denied.</summary>
    public bool? PropagateAllAnnotations { get; set; }

    /// <summary>Annotation keys (globs) that never get through.</summary>
    public List<string>? DeniedAnnotations { get; set; }

    /// <summary>Annotations added per resource kind (or <c>all</c>), never overriding.</summary>
    public Dictionary<string, Dictionary<string, string>>? DefaultAnnotations { get; set; }
}

/// <summary>Gateway API settings of a Config or Tenant.</summary>
public sealed class GatewayApiSettings : Extensible
{
    /// <summary>GatewayClass of generated Gateways; <see cref="DefaultClass"/> if absent on Tenant and Config.</summary>
    public string? Class { get; set; }

    /// <summary>Switches Gateway API off.</summary>
    public bool? Disable { get; set; }

    /// <summary>Switches HTTPRoutes off.</summary>
    public bool? DisableHTTPRoute { get; set; }

    /// <summary>Switches GRPCRoutes off.</summary>
    public bool? DisableGRPCRoute { get; set; }

    /// <summary>Settings of Gateways.</summary>
    public LimitSettings? Gateway { get; set; }

    /// <summary>Settings of routes: HTTPRoutes and GRPCRoutes together.</summary>
    public LimitSettings? Route { get; set; }

    /// <summary>The Gateway used for tenants of the Ingress path; not read by Gateway API routes.</summary>
    public ObjectReference? DefaultGateway { get; set; }

    /// <summary>Class used when neither the Tenant nor the Config names one: Envoy Gateway's usual <c>eg</c>.</summary>
    public const string DefaultClass = "eg";
}

/// <summary>How many objects of a kind a tenant may have.</summary>
public sealed class LimitSettings : Extensible
{
    /// <summary>The number that is served, the oldest first, 0 or more; no limit if absent.</summary>
    public int? Limit { get; set; }
}

/// <summary>
/// Which node addresses of a tenant its proxies may send to, in a Config or Tenant. An addition of this project. What neither object
/// speaks of is refused if it is loopback, link-local or otherwise no node's, and used if not.
/// </summary>
public sealed class AddressSettings : Extensible
{
    /// <summary>Ranges (CIDR) that are used although they usually are not.</summary>
    public List<string>? Allow { get; set; }

    /// <summary>Ranges (CIDR) that are not used. Wins over <see cref="Allow"/> of the same object.</summary>
    public List<string>? Deny { get; set; }

    /// <summary>Host names (<c>*</c> stands for any characters) that are used although they usually are not.</summary>
    public List<string>? AllowHostnames { get; set; }

    /// <summary>
    /// Host names (<c>*</c> stands for any characters) that are not used. Wins over <see cref="AllowHostnames"/> of the same object.
    /// </summary>
    public List<string>? DenyHostnames { get; set; }

    /// <summary>How many addresses of a tenant are used at most; absent: 1000.</summary>
    public int? Maximum { get; set; }
}

/// <summary>Condition of a Tenant and of the Config that says what is wrong with their settings. There is none while nothing is.</summary>
public static class SettingsConditions
{
    /// <summary>Type: False while a setting cannot be used as it is written.</summary>
    public const string SettingsValid = "SettingsValid";

    /// <summary>Reason of False; the message names the fields, what is in force instead, and what to write.</summary>
    public const string InvalidSettings = "InvalidSettings";
}
