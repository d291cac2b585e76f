using KubeLB.EmbeddedCluster.Errors;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The conflict response for an apply that changes fields of other managers.</summary>
internal static class ApplyConflict
{
    public static ApiException Of(IReadOnlyList<FieldConflict> conflicts)
    {
        var causes = conflicts
            .Select(conflict => new FieldError(
                "FieldManagerConflict",
                FieldElement.Describe(conflict.Path),
                $"conflict with {conflict.Owner.Describe()}"
            ))
            .ToList();
        return new ApiException(new ApiStatus(409, "Conflict", Message(conflicts), new StatusDetails(Causes: causes)));
    }

    private static string Message(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts is [var only])
        {
            return $"Apply failed with 1 conflict: conflict with {only.Owner.Describe()}: {FieldElement.Describe(only.Path)}";
        }
        var lines = conflicts
            .GroupBy(conflict => conflict.Owner.Describe())
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .SelectMany(group =>
                group.Select(conflict => $"- {FieldElement.Describe(conflict.Path)}").Prepend($"conflicts with {group.Key}:")
            );
        return $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}";
    }
}
