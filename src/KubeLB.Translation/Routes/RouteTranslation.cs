using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;

namespace KubeLB.Translation.Routes;

/// <summary>What a tenant's route comes to.</summary>
/// <param name="Parents">A verdict per parentRef to a Gateway of ours; empty if the route is none of our business.</param>
/// <param name="Backends">Its backends.</param>
/// <param name="Desired">
/// The Route; null if no parent permits the route. Not to be written while <see cref="BackendResolution.Waiting"/> names
/// Services, so that it is complete when it first appears.
/// </param>
public sealed record RouteTranslation(IReadOnlyList<ParentVerdict> Parents, BackendResolution Backends, Route? Desired)
{
    /// <summary>Whether at least one parent permits the route.</summary>
    public bool IsAttached => Desired is not null;
}
