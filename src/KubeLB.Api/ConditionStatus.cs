namespace KubeLB.Api;

/// <summary>The three values of a condition's status.</summary>
public static class ConditionStatus
{
    /// <summary>The condition holds.</summary>
    public const string True = "True";

    /// <summary>The condition does not hold.</summary>
    public const string False = "False";

    /// <summary>Whether the condition holds is not known (yet).</summary>
    public const string Unknown = "Unknown";

    /// <summary><see cref="True"/> or <see cref="False"/>.</summary>
    public static string Of(bool value) => value ? True : False;
}
