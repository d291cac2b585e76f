using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// What translation may see of one tenant's namespace in the management cluster: look-ups in a cache, no I/O. Objects
/// returned are not to be changed.
/// </summary>
public interface IManagementView
{
    /// <summary>The Route that stands for the tenant's Gateway of this name.</summary>
    Route? GatewayRoute(string originNamespace, string originName);

    /// <summary>Name of the Secret that holds the content of the tenant's Secret, a certificate; null if there is none (yet).</summary>
    string? CertificateSecret(string originNamespace, string originName);

    /// <summary>Who holds a name among the objects of a kind in the tenant's namespace.</summary>
    NameHolder HolderOf(string kind, string name);

    /// <summary>Whether the Route has one of the places that the tenant's limit for objects of its kind leaves.</summary>
    bool IsWithinLimit(Route route);
}

/// <summary>Who holds a name.</summary>
/// <param name="IsTaken">Whether an object of that name exists.</param>
/// <param name="RouteUid">UID of the Route that it was generated from; null if nobody knows, or somebody else made it.</param>
public readonly record struct NameHolder(bool IsTaken, string? RouteUid)
{
    /// <summary>Nobody holds it.</summary>
    public static readonly NameHolder Free;

    /// <summary>Whether a Route may use the name.</summary>
    public bool IsOpenTo(string routeUid) => !IsTaken || RouteUid == routeUid;
}
