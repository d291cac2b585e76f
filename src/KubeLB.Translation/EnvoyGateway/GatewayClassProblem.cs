using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Why no controller serves the Gateways of the configured GatewayClass of the management cluster.</summary>
/// <param name="Reason">A reason of <see cref="GatewayClassConditions"/>.</param>
/// <param name="Message">The message for the administrator.</param>
public sealed record GatewayClassProblem(string Reason, string Message)
{
    /// <summary>The message for the tenant, who cannot see the class.</summary>
    public string TenantMessage =>
        Reason == GatewayClassConditions.GatewayClassNotFound
            ? GatewayMessages.ManagementClassNotFound
            : GatewayMessages.ManagementClassNotAccepted;

    /// <summary>The problem of a class; null if there is none, or it is not known.</summary>
    /// <param name="name">The configured name.</param>
    /// <param name="gatewayClass">The class of that name; null if the list has none.</param>
    /// <param name="isComplete">Whether the list of classes is complete; an incomplete one proves no absence.</param>
    public static GatewayClassProblem? Of(string name, GatewayClass? gatewayClass, bool isComplete)
    {
        if (gatewayClass is null)
        {
            return isComplete
                ? new GatewayClassProblem(GatewayClassConditions.GatewayClassNotFound, SettingsMessages.GatewayClassNotFound(name))
                : null;
        }

        return AcceptedOf(gatewayClass) is { Status: ConditionStatus.False } rejected
            ? new GatewayClassProblem(
                GatewayClassConditions.GatewayClassNotAccepted,
                SettingsMessages.GatewayClassNotAccepted(name, rejected.Message ?? "")
            )
            : null;
    }

    /// <summary>The condition of a class that has no problem.</summary>
    /// <param name="gatewayClass">The class.</param>
    public static Condition ConditionOf(GatewayClass gatewayClass)
    {
        ArgumentNullException.ThrowIfNull(gatewayClass);
        var isAccepted = IsAccepted(gatewayClass);
        return new Condition
        {
            Type = GatewayClassConditions.GatewayClassReady,
            Status = isAccepted ? ConditionStatus.True : ConditionStatus.Unknown,
            Reason = isAccepted ? GatewayClassConditions.GatewayClassAccepted : GatewayClassConditions.GatewayClassPending,
            Message = isAccepted
                ? SettingsMessages.GatewayClassAccepted(gatewayClass.Name)
                : SettingsMessages.GatewayClassPending(gatewayClass.Name),
        };
    }

    private static bool IsAccepted(GatewayClass? gatewayClass) => AcceptedOf(gatewayClass) is { IsTrue: true };

    /// <summary>Whether two versions of a class are the same in what <see cref="Of"/> and <see cref="ConditionOf"/> report.</summary>
    public static bool IsSame(GatewayClass? before, GatewayClass? after) =>
        (before is null) == (after is null) && RejectionOf(before) == RejectionOf(after) && IsAccepted(before) == IsAccepted(after);

    private static string? RejectionOf(GatewayClass? gatewayClass) =>
        AcceptedOf(gatewayClass) is { Status: ConditionStatus.False } rejected ? rejected.Message ?? "" : null;

    private static Condition? AcceptedOf(GatewayClass? gatewayClass) =>
        gatewayClass?.Status?.Conditions?.Find(c => c.Type == GatewayConditions.Accepted);
}
