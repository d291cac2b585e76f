namespace KubeLB.Sandbox.Commands;

/// <summary>Finds the word that a misspelt word was meant to be.</summary>
internal static class Spelling
{
    private const int MaxChanges = 2;

    /// <summary>The most similar word; null if none is similar.</summary>
    public static string? Nearest(string text, IEnumerable<string> words) =>
        words
            .Select(word => (Word: word, Changes: Changes(text.ToLowerInvariant(), word)))
            .Where(candidate => candidate.Changes <= Math.Min(MaxChanges, candidate.Word.Length - 1))
            .OrderBy(candidate => candidate.Changes)
            .Select(candidate => candidate.Word)
            .FirstOrDefault();

    // The Levenshtein distance: characters to add, remove or replace.
    private static int Changes(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
