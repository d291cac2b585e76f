namespace KubeLB.Api.GatewayApi;

/// <summary>A rule of a <see cref="GrpcRoute"/>.</summary>
public sealed class GrpcRouteRule : RouteRule
{
    /// <summary>Alternatives, of which one must match; every call matches if absent.</summary>
    public List<GrpcRouteMatch>? Matches { get; set; }
}

/// <summary>Conditions on a call, all of which must hold.</summary>
public sealed class GrpcRouteMatch : Extensible
{
    /// <summary>Service and method; any if absent.</summary>
    public GrpcMethodMatch? Method { get; set; }

    /// <summary>Headers, all of which must match.</summary>
    public List<NamedValueMatch>? Headers { get; set; }
}

/// <summary>Condition on service and method.</summary>
public sealed class GrpcMethodMatch : Extensible
{
    /// <summary>Exact (if absent) or RegularExpression.</summary>
    public string? Type { get; set; }

    /// <summary>Full name of the service; any if absent.</summary>
    public string? Service { get; set; }

    /// <summary>Name of the method; any if absent.</summary>
    public string? Method { get; set; }
}
