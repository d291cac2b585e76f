using KubeLB.Api;

namespace KubeLB.Translation.Events;

/// <summary>One condition before and after a write of the status.</summary>
/// <param name="Before">As it stood; null if there was none.</param>
/// <param name="After">As it stands; null if there is none.</param>
internal sealed record ConditionChange(Condition? Before, Condition? After)
{
    public static ConditionChange Of(string type, IReadOnlyList<Condition>? before, IReadOnlyList<Condition>? after) =>
        new(before?.FirstOrDefault(c => c.Type == type), after?.FirstOrDefault(c => c.Type == type));

    /// <summary>It holds, and did not before; for whatever generation.</summary>
    public bool BecameTrue => After is { IsTrue: true } && Before is not { IsTrue: true };

    /// <summary>It does not hold, and that, or why, is new.</summary>
    public bool BecameFalse =>
        After is { Status: ConditionStatus.False } after
        && (Before is not { Status: ConditionStatus.False } before || before.Reason != after.Reason || before.Message != after.Message);
}
