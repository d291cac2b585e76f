using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// The objects of one tenant's namespace in the management cluster that translation reads: cache look-ups without I/O. Returned objects are
/// shared and must not be modified.
/// </summary>
public interface IManagementView
{
    /// <summary>The Route of the tenant's Gateway of this name.</summary>
    Route? GatewayRoute(string originNamespace, string originName);

    /// <summary>
    /// Name of the Gateway that was generated from a Route; null if there is none. The status alone is not sufficient, because a tenant may
    /// be able to write the status of its Routes.
    /// </summary>
    string? GatewayName(Route gateway);

    /// <summary>Name of the Secret with the content of the tenant's certificate Secret; null if there is none yet.</summary>
    string? CertificateSecret(string originNamespace, string originName);

    /// <summary>The holder of a name among the objects of a kind in the tenant's namespace.</summary>
    NameHolder HolderOf(string kind, string name);

    /// <summary>
    /// Why the Route is rejected for its size, or because older Routes use up the size that the tenant may have; null if it is not.
    /// </summary>
    Rejection? SizeRejection(Route route);

    /// <summary>Whether the Route is within the tenant's limit for objects of its kind.</summary>
    bool IsWithinLimit(Route route);

    /// <summary>
    /// The number of Services that exist for the tenant's routes, and how many of these names have none.
    /// </summary>
    (int Existing, int Missing) CountServices(IEnumerable<string> names);

    /// <summary>Whether a Route of another tenant that takes precedence claims a hostname that overlaps this one of the Route.</summary>
    bool IsHostnameInUse(Route route, string hostname);
}

/// <summary>The holder of a name.</summary>
/// <param name="IsTaken">Whether an object of that name exists.</param>
/// <param name="RouteUid">UID of the Route that it was generated from; null if it is unknown or the object was not generated.</param>
/// <param name="Ownerless">
/// For an object that the Go manager generated without an owner: the tenant's object that its labels name. Null for all others.
/// </param>
public readonly record struct NameHolder(bool IsTaken, string? RouteUid, (string Namespace, string Name)? Ownerless = null)
{
    /// <summary>The name is free.</summary>
    public static readonly NameHolder Free;

    /// <summary>Whether the object is labelled as generated but has no owner reference, for example because it was removed.</summary>
    public bool IsOrphan { get; init; }

    /// <summary>Whether a Route may use the name.</summary>
    /// <param name="routeUid">UID of the Route.</param>
    /// <param name="origin">
    /// The tenant's object that it would be generated from, as in the labels; null for kinds that always have an owner.
    /// </param>
    public bool IsAvailableTo(string routeUid, (string Namespace, string Name)? origin = null) =>
        !IsTaken || RouteUid == routeUid || (Ownerless is not null && Ownerless == origin);
}
