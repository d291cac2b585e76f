namespace KubeLB.Api;

/// <summary>API groups in use.</summary>
public static class ApiGroups
{
    /// <summary>KubeLB's own group.</summary>
    public const string Kubelb = "kubelb.k8c.io";

    /// <summary>Gateway API.</summary>
    public const string GatewayApi = "gateway.networking.k8s.io";

    /// <summary>Envoy Gateway's extensions.</summary>
    public const string EnvoyGateway = "gateway.envoyproxy.io";

    /// <summary>Prometheus Operator.</summary>
    public const string Monitoring = "monitoring.coreos.com";
}
