namespace KubeLB.Api;

/// <summary>A condition of a status, shaped like <c>metav1.Condition</c>.</summary>
/// <remarks>
/// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties.
/// The time is a string, so that it is written back exactly as read.
/// </remarks>
public sealed class Condition : Extensible
{
    /// <summary>Type, unique among the conditions of one status; at most 316 characters.</summary>
    public string Type { get; set; } = "";

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string Status { get; set; } = "";

    /// <summary>Generation of the spec that the condition was computed for; null if the writer does not set it.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>When <see cref="Status"/> last changed, RFC 3339 in UTC.</summary>
    public string? LastTransitionTime { get; set; }

    /// <summary>CamelCase word for automation, at least one character.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Text for users; at most 32768 characters, may be empty.</summary>
    public string Message { get; set; } = "";

    /// <summary>Whether <see cref="Status"/> is <c>True</c>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsTrue => Status == ConditionStatus.True;
}

/// <summary>The three values of a condition's status.</summary>
public static class ConditionStatus
{
    /// <summary>The condition holds.</summary>
    public const string True = "True";

    /// <summary>The condition does not hold.</summary>
    public const string False = "False";

    /// <summary>It is unknown whether the condition holds.</summary>
    public const string Unknown = "Unknown";

    /// <summary><see cref="True"/> or <see cref="False"/>.</summary>
    public static string Of(bool value) => value ? True : False;
}
