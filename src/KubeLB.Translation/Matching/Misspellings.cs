namespace KubeLB.Translation.Matching;

/// <summary>Finds the name that a user probably meant.</summary>
internal static class Misspellings
{
    /// <summary>The maximum number of names that are compared, because the tenant decides how many there are.</summary>
    public const int MaxCandidates = 100;

    private static readonly char[] Separators = ['-', '_', '.'];

    /// <summary>
    /// The first name that differs by at most one character, by two that are swapped, or by separators and case; else null.
    /// </summary>
    public static string? Nearest(string text, IEnumerable<string> names) =>
        names.Take(MaxCandidates).FirstOrDefault(name => name != text && IsNear(Letters(text), Letters(name)));

    private static string Letters(string text) => string.Concat(text.Where(c => !Separators.Contains(c))).ToLowerInvariant();

    private static bool IsNear(string left, string right)
    {
        if (left == right)
        {
            return true;
        }

        var start = left.Zip(right).TakeWhile(pair => pair.First == pair.Second).Count();
        return Math.Abs(left.Length - right.Length) switch
        {
            0 => left[(start + 1)..] == right[(start + 1)..]
                || (
                    start + 1 < left.Length
                    && left[start] == right[start + 1]
                    && left[start + 1] == right[start]
                    && left[(start + 2)..] == right[(start + 2)..]
                ),
            1 => left.Length > right.Length ? left[(start + 1)..] == right[start..] : left[start..] == right[(start + 1)..],
            _ => false,
        };
    }
}
