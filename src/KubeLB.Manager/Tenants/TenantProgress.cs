using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Manager.Tenants;

/// <summary>How far a Tenant has come: what its status says.</summary>
/// <param name="Phase">One of <see cref="TenantPhases"/>.</param>
/// <param name="Reason">Reason of condition Ready.</param>
/// <param name="Message">Its message.</param>
internal sealed record TenantProgress(string Phase, string Reason, string Message)
{
    /// <summary>Everything is set up.</summary>
    public static TenantProgress Ready { get; } = new(TenantPhases.Ready, "Reconciled", "Tenant reconciled successfully");

    /// <summary>Status of condition Ready.</summary>
    public string ReadyStatus => ConditionStatus.Of(Phase == TenantPhases.Ready);

    /// <summary>Something that comes by itself is waited for.</summary>
    public static TenantProgress Pending(string reason, string message) => new(TenantPhases.Pending, reason, message);

    /// <summary>Somebody has to change something.</summary>
    public static TenantProgress Failed(string reason, string message) => new(TenantPhases.Failed, reason, message);

    /// <summary>The removal waits.</summary>
    public static TenantProgress Terminating(string message) => new(TenantPhases.Terminating, "Terminating", message);
}
