namespace KubeLB.EmbeddedCluster.Errors;

/// <summary>The <c>details</c> of a Status.</summary>
internal sealed record StatusDetails(
    string? Name = null,
    string? Group = null,
    string? Kind = null,
    string? Uid = null,
    IReadOnlyList<FieldError>? Causes = null,
    int RetryAfterSeconds = 0
);
