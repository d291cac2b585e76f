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
