using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Builds the metadata of generated objects: in the tenant's namespace, owned by the Route.</summary>
internal static class GeneratedMetadata
{
    public static V1ObjectMeta Build(
        Route route,
        string name,
        (string Namespace, string Name) origin,
        Dictionary<string, string> labels,
        IDictionary<string, string>? annotations
    )
    {
        labels[Labels.ManagedBy] = Labels.ManagedByKubelb;
        labels[Labels.OriginName] = Labels.Value(origin.Name);
        labels[Labels.OriginNamespace] = origin.Namespace;

        return new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = route.Namespace,
            Labels = labels,
            Annotations = annotations,
            OwnerReferences =
            [
                new V1OwnerReference
                {
                    ApiVersion = KubelbVersion.ApiVersion,
                    Kind = Route.KindName,
                    Name = route.Name,
                    Uid = route.Uid(),
                    Controller = true,
                },
            ],
        };
    }

    public static V1ObjectMeta Build(
        Route route,
        string name,
        RouteOrigin origin,
        Dictionary<string, string> labels,
        IDictionary<string, string>? annotations
    ) => Build(route, name, (origin.Namespace, origin.Name), labels, annotations);
}

/// <summary>
/// Chooses the name of a generated object: the name in the Route's status; without one, the contract's name; if another Route owns that
/// name, the contract's name with a suffix from the source object's UID. Objects are never renamed.
/// </summary>
public static class GeneratedNameChoice
{
    /// <summary>Chooses the name.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="kind">Kind of the generated object.</param>
    /// <param name="contractName">The name according to the contract.</param>
    /// <param name="nameInStatus">The name in the Route's status; null if there is none yet.</param>
    /// <param name="view">Finds the holder of a name.</param>
    /// <param name="origin">
    /// The tenant's object, as in the labels of the generated one, for kinds that the Go manager generates without an owner; else null.
    /// </param>
    public static string Choose(
        Route route,
        string kind,
        string contractName,
        string? nameInStatus,
        IManagementView view,
        (string Namespace, string Name)? origin = null
    )
    {
        // An object whose owner reference was removed still belongs to the Route whose status names it.
        if (
            nameInStatus is { Length: > 0 }
            && view.HolderOf(kind, nameInStatus) is var holder
            && (holder.IsAvailableTo(route.Uid(), origin) || holder.IsOrphan)
        )
        {
            return nameInStatus;
        }

        // The Route's name is the source object's UID.
        return view.HolderOf(kind, contractName).IsAvailableTo(route.Uid(), origin)
            ? contractName
            : GeneratedNames.WithSuffix(contractName, route.Name);
    }
}

/// <summary>
/// Names for references that do not resolve to an object of the tenant. They are rewritten because an unchanged name could refer to
/// another object. No generated object has such a name, since generated names have at most 60 characters.
/// </summary>
public static class UnresolvedNames
{
    /// <summary>The start of each of these names.</summary>
    public const string Prefix = "unresolved-";

    private const int Length = 63;

    /// <summary>A DNS-1035 label of 63 characters.</summary>
    public static string For(string @namespace, string name) =>
        (Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{@namespace}/{name}"))))[..Length];
}
