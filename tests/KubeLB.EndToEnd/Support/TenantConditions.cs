using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.EndToEnd.Support;

/// <summary>Reads the status of a Tenant.</summary>
public static class TenantConditions
{
    public static Condition? Ready(Tenant tenant) => tenant.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready");

    /// <summary>Whether the current generation has the phase, and condition Ready matches and its message has all of the words.</summary>
    public static bool Says(Tenant tenant, string phase, params string[] words) =>
        tenant.Status?.Phase == phase
        && tenant.Status.ObservedGeneration == tenant.Metadata.Generation
        && Ready(tenant) is { } ready
        && ready.Status == (phase == TenantPhases.Ready ? "True" : "False")
        && words.All(word => ready.Message?.Contains(word, StringComparison.Ordinal) == true);
}
