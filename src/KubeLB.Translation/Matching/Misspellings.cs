namespace KubeLB.Translation.Matching;

/// <summary>Finds the name that a user probably meant.</summary>
internal static class Misspellings
{
    /// <summary>The maximum number of names that are compared, because the tenant decides how many there are.</summary>
    public const int MaxCandidates = 100;

    private static readonly char[] Separators = ['-', '_', '.'];

    /// <summary>
    /// The first name that differs by at most one character, by two that are swapped, by separators and case, or by singular and plural of
    /// its words; else null. A larger distance is not permitted: names of one word differ by two or three characters from most others.
    /// </summary>
    public static string? Nearest(string text, IEnumerable<string> names) =>
        names
            .Take(MaxCandidates)
            .FirstOrDefault(name => name != text && (IsNear(Letters(text), Letters(name)) || Stem(text) == Stem(name)));

    private static string Letters(string text) => string.Concat(text.Where(c => !Separators.Contains(c))).ToLowerInvariant();

    private static string Stem(string text) => string.Concat(text.Split(Separators).Select(Singular)).ToLowerInvariant();

    private static string Singular(string word) =>
        word.EndsWith("ies", StringComparison.OrdinalIgnoreCase) ? $"{word[..^3]}y"
        : word.EndsWith('s') ? word[..^1]
        : word;

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
