using k8s;
using k8s.Models;

namespace KubeLB.Sandbox.Nodes;

/// <summary>Owner references of simulated controllers.</summary>
internal static class Ownership
{
    /// <summary>A reference to the controlling owner.</summary>
    public static V1OwnerReference By(IKubernetesObject<V1ObjectMeta> owner, string apiVersion, string kind) =>
        new()
        {
            ApiVersion = apiVersion,
            Kind = kind,
            Name = owner.Metadata.Name,
            Uid = owner.Metadata.Uid,
            Controller = true,
            BlockOwnerDeletion = true,
        };
}
