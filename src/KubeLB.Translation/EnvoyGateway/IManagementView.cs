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

    /// <summary>
    /// Name of the Gateway that was generated from a Route; null if there is none. A tenant may be able to write the status of its Routes,
    /// so that the status alone does not make a Gateway the tenant's.
    /// </summary>
    string? GatewayName(Route gateway);

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
/// <param name="Ownerless">
/// For an object that the Go manager generated and gave no owner: the tenant's object that its labels name. Null for all others.
/// </param>
public readonly record struct NameHolder(bool IsTaken, string? RouteUid, (string Namespace, string Name)? Ownerless = null)
{
    /// <summary>Nobody holds it.</summary>
    public static readonly NameHolder Free;

    /// <summary>
    /// Whether the object is labelled as generated, but names no Route that it was generated from: somebody took its owner reference away.
    /// </summary>
    public bool IsOrphan { get; init; }

    /// <summary>Whether a Route may use the name.</summary>
    /// <param name="routeUid">UID of the Route.</param>
    /// <param name="origin">
    /// What it would generate the object from, as in the object's labels; null if such objects always have an owner.
    /// </param>
    public bool IsOpenTo(string routeUid, (string Namespace, string Name)? origin = null) =>
        !IsTaken || RouteUid == routeUid || (Ownerless is not null && Ownerless == origin);
}
