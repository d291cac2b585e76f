using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.EndToEnd.Support;

/// <summary>What a Tenant's status says.</summary>
public static class TenantConditions
{
    public static Condition? Ready(Tenant tenant) => tenant.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready");

    /// <summary>Whether the phase is this, for the present generation, and condition Ready agrees and says all of the words.</summary>
    public static bool Says(Tenant tenant, string phase, params string[] words) =>
        tenant.Status?.Phase == phase
        && tenant.Status.ObservedGeneration == tenant.Metadata.Generation
        && Ready(tenant) is { } ready
        && ready.Status == (phase == TenantPhases.Ready ? "True" : "False")
        && words.All(word => ready.Message?.Contains(word, StringComparison.Ordinal) == true);
}
