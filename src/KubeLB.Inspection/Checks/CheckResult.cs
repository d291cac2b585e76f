namespace KubeLB.Inspection.Checks;

/// <summary>The result of a check.</summary>
public enum CheckState
{
    /// <summary>Passed.</summary>
    Ok,

    /// <summary>Works, but something should be changed.</summary>
    Warning,

    /// <summary>Failed.</summary>
    Failed,

    /// <summary>Could not be checked.</summary>
    NotChecked,
}

/// <summary>One check.</summary>
/// <param name="Group">The cluster or component.</param>
/// <param name="Name">What is checked, as a statement that should be true.</param>
/// <param name="State">The result.</param>
public sealed record CheckResult(string Group, string Name, CheckState State)
{
    /// <summary>Facts, for example a version; null if there are none.</summary>
    public string? Detail { get; init; }

    /// <summary>Why it did not pass; null if it did.</summary>
    public string? Reason { get; init; }

    /// <summary>What to do; null if nothing.</summary>
    public string? Hint { get; init; }
}
