using KubeLB.Api;
using KubeLB.Api.Serialization;

namespace KubeLB.Translation.Conditions;

/// <summary>
/// Builds the conditions of a status beside those that are there: the transition time moves only when the status does, and
/// an unchanged condition stays as it was, to the letter.
/// </summary>
/// <param name="existing">The conditions as they stand.</param>
/// <param name="now">The time for transitions, RFC 3339 in UTC.</param>
public sealed class ConditionSet(IReadOnlyList<Condition>? existing, string now)
{
    /// <summary>Longest message that an API server takes (metav1.Condition). Messages may quote what a tenant wrote.</summary>
    public const int MessageLimit = 32768;

    private readonly List<Condition> _result = [];

    /// <summary>The conditions set so far.</summary>
    public List<Condition> ToList() => [.. _result];

    /// <summary>The existing condition of this type.</summary>
    public Condition? Existing(string type) => existing?.FirstOrDefault(c => c.Type == type);

    /// <summary>Sets a condition, in place of one of its type.</summary>
    public ConditionSet Set(string type, string status, string reason, string message, long? observedGeneration)
    {
        var before = Existing(type);
        var condition = before is null ? new Condition { Type = type } : ApiJson.Copy(before);
        condition.LastTransitionTime =
            before is not null && before.Status == status && before.LastTransitionTime is not null ? before.LastTransitionTime : now;
        condition.Status = status;
        condition.Reason = reason;
        condition.Message = TextTruncation.Truncate(message, MessageLimit);
        condition.ObservedGeneration = observedGeneration;
        _result.RemoveAll(c => c.Type == type);
        _result.Add(condition);
        return this;
    }

    /// <summary>Takes over conditions as they are, in place of those of their types.</summary>
    public ConditionSet SetAll(IEnumerable<Condition> conditions)
    {
        foreach (var condition in conditions.ToList())
        {
            _result.RemoveAll(c => c.Type == condition.Type);
            _result.Add(condition);
        }

        return this;
    }

    /// <summary>Lets the existing condition of this type stand, if there is one.</summary>
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
}
