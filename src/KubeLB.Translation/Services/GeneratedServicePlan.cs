using k8s.Models;

namespace KubeLB.Translation.Services;

/// <summary>A Service to generate.</summary>
/// <param name="Key"><c>namespace/name</c> of the tenant's Service, its key in the Route's status.</param>
/// <param name="OriginNamespace">Namespace of the tenant's Service.</param>
/// <param name="OriginName">Name of the tenant's Service.</param>
/// <param name="Service">The Service as it should be.</param>
public sealed record GeneratedServicePlan(string Key, string OriginNamespace, string OriginName, V1Service Service);
