namespace KubeLB.Api.EnvoyGateway;

/// <summary>The version of Envoy Gateway's extensions in use.</summary>
public static class EnvoyGatewayVersion
{
    /// <summary>Version.</summary>
    public const string V1Alpha1 = "v1alpha1";

    /// <summary>Group and version.</summary>
    public const string ApiVersion = $"{ApiGroups.EnvoyGateway}/{V1Alpha1}";
}
