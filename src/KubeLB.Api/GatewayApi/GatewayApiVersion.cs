namespace KubeLB.Api.GatewayApi;

/// <summary>Versions of the group <c>gateway.networking.k8s.io</c>.</summary>
public static class GatewayApiVersion
{
    /// <summary>The version in use.</summary>
    public const string V1 = "v1";

    /// <summary>ReferenceGrant's version; the field set is that of <c>v1</c>.</summary>
    public const string V1Beta1 = "v1beta1";

    /// <summary>Group and version as in an object's <c>apiVersion</c>.</summary>
    public const string ApiVersion = ApiGroups.GatewayApi + "/" + V1;
}
