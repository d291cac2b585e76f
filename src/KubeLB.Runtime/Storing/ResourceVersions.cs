namespace KubeLB.Runtime.Storing;

/// <summary>Order of resource versions: decimal numbers of any length, as KEP-5504 lets clients compare them.</summary>
internal static class ResourceVersions
{
    /// <summary>
    /// True if <paramref name="candidate"/> is later than <paramref name="stored"/>. Versions that are not numbers cannot be ordered; there
    /// the candidate counts as later unless it is the same.
    /// </summary>
    public static bool IsNewer(string? candidate, string? stored)
    {
        if (!IsNumber(candidate) || !IsNumber(stored))
        {
            return !string.Equals(candidate, stored, StringComparison.Ordinal) || string.IsNullOrEmpty(candidate);
        }

        var left = candidate.AsSpan().TrimStart('0');
        var right = stored.AsSpan().TrimStart('0');
        return left.Length != right.Length ? left.Length > right.Length : left.SequenceCompareTo(right) > 0;
    }

    /// <summary>
    /// True if <paramref name="candidate"/> is before <paramref name="seen"/>, which the versions of one storage never are: it was put back
    /// to an earlier state. False where versions cannot be ordered.
    /// </summary>
    public static bool GoesBack(string? candidate, string? seen) => IsNumber(candidate) && IsNumber(seen) && IsNewer(seen, candidate);

    public static string? Later(string? left, string? right) => IsNewer(left, right) ? left : right;

    private static bool IsNumber([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] string? version) =>
        !string.IsNullOrEmpty(version) && !version.AsSpan().ContainsAnyExceptInRange('0', '9');
}
