using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Attachment;

/// <summary>What became of one parentRef of a route that refers to a Gateway of ours.</summary>
/// <param name="Ref">The parentRef as the tenant wrote it.</param>
/// <param name="Gateway">The Gateway it refers to.</param>
/// <param name="Pinned">
/// The parentRefs that the Route carries for it: the same one if every listener that it names permits the route, else one
/// per listener that does. Empty if none does.
/// </param>
/// <param name="Refusal">Why the route may not attach; null if it may.</param>
public sealed record ParentVerdict(ParentReference Ref, Gateway Gateway, IReadOnlyList<ParentReference> Pinned, Refusal? Refusal)
{
    /// <summary>Whether the route may attach to at least one listener.</summary>
    public bool IsAttached => Refusal is null;

    /// <summary>
    /// Why the Gateway is not in the management cluster, so that nothing can attach to it there; null if it is, or is on its way.
    /// </summary>
    public string? NotCarried { get; init; }
}

/// <summary>A reason and a sentence for the condition that says no.</summary>
/// <param name="Reason">Gateway API's reason.</param>
/// <param name="Message">What is wrong.</param>
public sealed record Refusal(string Reason, string Message);
