using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Backends;

/// <summary>A backendRef somewhere in a route.</summary>
/// <param name="Where">Its place, for people: <c>rule 0 backendRef 1</c>.</param>
/// <param name="Ref">The reference.</param>
/// <param name="Namespace">The namespace it refers to.</param>
/// <param name="RouteKind">Kind of the route.</param>
public sealed record BackendReference(string Where, BackendObjectReference Ref, string Namespace, string RouteKind)
{
    /// <summary>Whether it refers to a Service of the core group.</summary>
    public bool IsService => string.IsNullOrEmpty(Ref.Group) && (Ref.Kind ?? "Service") == "Service";
}
