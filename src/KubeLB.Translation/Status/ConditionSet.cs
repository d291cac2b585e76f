using System.Text.RegularExpressions;
using KubeLB.Api;
using KubeLB.Api.Messages;
using KubeLB.Api.Serialization;

namespace KubeLB.Translation.Status;

/// <summary>
/// Builds the conditions of a status from the existing ones: the transition time changes only with the status, and unknown fields are
/// kept.
/// </summary>
/// <param name="existing">The existing conditions.</param>
/// <param name="now">The time for transitions, RFC 3339 in UTC.</param>
public sealed partial class ConditionSet(IReadOnlyList<Condition>? existing, string now)
{
    /// <summary>Maximum length of a message (metav1.Condition). Messages may quote a tenant's values.</summary>
    public const int MessageLimit = 32768;

    private const int ReasonLimit = 1024;
    private const int TypeLimit = 316;
    private const string InvalidReason = "Unknown";

    private readonly List<Condition> _result = [];

    /// <summary>The conditions set so far.</summary>
    public List<Condition> ToList() => [.. _result];

    /// <summary>The condition of this type that was set so far.</summary>
    public Condition? Current(string type) => _result.Find(c => c.Type == type);

    /// <summary>The existing condition of this type.</summary>
    public Condition? Existing(string type) => existing?.FirstOrDefault(c => c.Type == type);

    /// <summary>
    /// Sets a condition; replaces one of its type. One invalid condition would make the API server reject the complete status, so a
    /// reported condition with an invalid type or status is ignored, and an invalid reason is replaced.
    /// </summary>
    public ConditionSet Set(string type, string status, string reason, string message, long? observedGeneration)
    {
        if (
            type is not { Length: <= TypeLimit }
            || !ValidType().IsMatch(type)
            || status is not (ConditionStatus.True or ConditionStatus.False or ConditionStatus.Unknown)
        )
        {
            return this;
        }

        var before = Existing(type);
        var condition = before is null ? new Condition { Type = type } : ApiJson.Copy(before);
        condition.LastTransitionTime =
            before is not null && before.Status == status && before.LastTransitionTime is not null ? before.LastTransitionTime : now;
        condition.Status = status;
        condition.Reason = reason is { Length: <= ReasonLimit } && ValidReason().IsMatch(reason) ? reason : InvalidReason;
        condition.Message = MessageText.Message(message ?? "", MessageLimit);
        condition.ObservedGeneration = observedGeneration;
        _result.RemoveAll(c => c.Type == type);
        _result.Add(condition);
        return this;
    }

    /// <summary>Sets conditions unchanged; replaces those of their types.</summary>
    public ConditionSet SetAll(IEnumerable<Condition> conditions)
    {
        foreach (var condition in conditions.ToList())
        {
            _result.RemoveAll(c => c.Type == condition.Type);
            _result.Add(condition);
        }

        return this;
    }

    /// <summary>Keeps the existing condition of this type, if there is one.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Keep(string type)
    {
        if (Existing(type) is not { } before)
        {
            return false;
        }

        _result.RemoveAll(c => c.Type == type);
        _result.Add(before);
        return true;
    }

    // The patterns of metav1.Condition.
    [GeneratedRegex(
        @"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex ValidType();

    [GeneratedRegex(@"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex ValidReason();
}
