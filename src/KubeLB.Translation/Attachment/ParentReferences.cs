using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Attachment;

/// <summary>Compares parentRefs.</summary>
internal static class ParentReferences
{
    /// <summary>Whether two parentRefs of one route say the same; group and kind are Gateway's if left out.</summary>
    public static bool IsSameAs(this ParentReference left, ParentReference right) =>
        left.Name == right.Name
        && left.Namespace == right.Namespace
        && (left.Group ?? ApiGroups.GatewayApi) == (right.Group ?? ApiGroups.GatewayApi)
        && (left.Kind ?? Gateway.KindName) == (right.Kind ?? Gateway.KindName)
        && left.SectionName == right.SectionName
        && left.Port == right.Port;
}
