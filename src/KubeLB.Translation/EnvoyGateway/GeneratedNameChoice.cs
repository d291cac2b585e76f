using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Chooses the name of a generated object: the one that status already gives it, else the contract's, else, when another
/// Route owns that, the contract's with a suffix from the source's UID. Nothing is ever renamed.
/// </summary>
public static class GeneratedNameChoice
{
    /// <summary>Chooses.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="kind">Kind of the generated object.</param>
    /// <param name="contractName">The name by the contract's rules.</param>
    /// <param name="nameInStatus">The name that the Route's status gives it; null if none yet.</param>
    /// <param name="view">Tells who holds a name.</param>
    /// <param name="origin">
    /// The tenant's object as the generated one's labels name it, where the Go manager's have no owner; else null.
    /// </param>
    public static string For(
        Route route,
        string kind,
        string contractName,
        string? nameInStatus,
        IManagementView view,
        (string Namespace, string Name)? origin = null
    )
    {
        // Status is the manager's own word: what it names was generated, also if its owner reference is gone.
        if (
            nameInStatus is { Length: > 0 }
            && view.HolderOf(kind, nameInStatus) is var holder
            && (holder.IsOpenTo(route.Uid(), origin) || holder.IsOrphan)
        )
        {
            return nameInStatus;
        }

        // The Route is named after the source's UID.
        return view.HolderOf(kind, contractName).IsOpenTo(route.Uid(), origin)
            ? contractName
            : GeneratedNames.WithSuffix(contractName, route.Name);
    }
}
