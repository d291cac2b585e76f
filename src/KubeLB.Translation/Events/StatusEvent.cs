using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Events;

/// <summary>An Event about a change of an object's status.</summary>
/// <param name="IsWarning">Whether its type is Warning, else Normal.</param>
/// <param name="Reason">The reason: that of the condition, or one of the constants.</param>
/// <param name="Message">The message: what happened and, for a Warning, how to correct it.</param>
public sealed record StatusEvent(bool IsWarning, string Reason, string Message)
{
    /// <summary>Reason: KubeLB no longer serves the object.</summary>
    public const string Released = "Released";

    /// <summary>Reason: all proxies accepted the configuration.</summary>
    public const string ProxyProgrammed = "ProxyProgrammed";

    /// <summary>Reason: all backends have ready endpoints. Also the reason of the condition.</summary>
    public const string BackendsReady = "BackendsReady";

    internal static StatusEvent Normal(string reason, string message) => new(IsWarning: false, reason, message);

    internal static StatusEvent Warning(string reason, string message) =>
        new(IsWarning: true, reason, RouteMessages.WithRemedy(reason, message));
}

/// <summary>One condition before and after a write of the status.</summary>
/// <param name="Before">The condition before; null if there was none.</param>
/// <param name="After">The condition after; null if there is none.</param>
internal sealed record ConditionChange(Condition? Before, Condition? After)
{
    // Reasons of a Gateway that is being set up. They cause no Event unless the Gateway was programmed before.
    private static readonly string[] InProgress = [GatewayConditions.Pending, "AddressNotAssigned", "NoResources"];

    public static ConditionChange Of(string type, IReadOnlyList<Condition>? before, IReadOnlyList<Condition>? after) =>
        new(before?.FirstOrDefault(c => c.Type == type), after?.FirstOrDefault(c => c.Type == type));

    /// <summary>The condition is True and was not True before, regardless of its generation.</summary>
    public bool BecameTrue => After is { IsTrue: true } && Before is not { IsTrue: true };

    /// <summary>The condition is False, and its status, reason or message changed.</summary>
    public bool BecameFalse =>
        After is { Status: ConditionStatus.False } after
        && (Before is not { Status: ConditionStatus.False } before || before.Reason != after.Reason || before.Message != after.Message);

    /// <summary>The condition became False, and not only because the object is being set up.</summary>
    public bool Failed => BecameFalse && (Before is { IsTrue: true } || !InProgress.Contains(After!.Reason));

    /// <summary>Before, the gateway of the management cluster had not processed a change.</summary>
    public bool WasUnprocessed => Before?.Message == GatewayMessages.NotProcessed;

    /// <summary>The condition was False and was removed.</summary>
    public bool WasResolved => this is { Before.Status: ConditionStatus.False, After: null };
}
