namespace KubeLB.Api.V1Alpha1;

/// <summary>Version of the group <c>kubelb.k8c.io</c>.</summary>
public static class KubelbVersion
{
    /// <summary>The version's name.</summary>
    public const string Name = "v1alpha1";

    /// <summary>Group and version as in an object's <c>apiVersion</c>.</summary>
    public const string ApiVersion = ApiGroups.Kubelb + "/" + Name;
}
