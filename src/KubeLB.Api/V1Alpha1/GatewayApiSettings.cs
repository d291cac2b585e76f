namespace KubeLB.Api.V1Alpha1;

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
