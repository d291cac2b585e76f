using System.Text.RegularExpressions;

namespace KubeLB.Guides.Tests.Support;

/// <summary>
/// Compares what a command printed with what its page shows. Blanks are collapsed; ages, times, addresses, ports and generated
/// names are equal to each other; a line <c>…</c> stands for any lines, <c>…</c> within a line for any text.
/// </summary>
public static partial class ShownOutput
{
    private const string Any = "…";

    /// <summary>Why the outputs differ; null if they do not.</summary>
    public static string? Difference(string shown, string printed)
    {
        var expected = Lines(shown);
        var actual = Lines(printed);
        return Matches(expected, actual) ? null : $"The page shows:\n{shown}\nThe command printed:\n{printed}";
    }

    private static bool Matches(ReadOnlySpan<string> expected, ReadOnlySpan<string> actual)
    {
        if (expected.IsEmpty)
        {
            return actual.IsEmpty;
        }

        if (expected[0] != Any)
        {
            return !actual.IsEmpty && LineMatches(expected[0], actual[0]) && Matches(expected[1..], actual[1..]);
        }

        for (var skipped = 0; skipped <= actual.Length; skipped++)
        {
            if (Matches(expected[1..], actual[skipped..]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool LineMatches(string expected, string actual) =>
        expected.Contains(Any, StringComparison.Ordinal)
            ? Regex.IsMatch(actual, $"^{string.Join(".*", expected.Split(Any).Select(part => Regex.Escape(part.Trim())))}$")
            : expected == actual;

    private static string[] Lines(string text) => [.. text.Split('\n').Select(Normal).Where(line => line.Length > 0)];

    private static string Normal(string line)
    {
        line = Uid().Replace(line, "UID");
        line = Time().Replace(line, "TIME");
        line = Address().Replace(line, "ADDRESS");
        line = PodName().Replace(line, "-HASH");
        line = Age().Replace(line, "AGE");
        line = Port().Replace(line, "PORT");
        return Blanks().Replace(line, " ").Trim();
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\b\d\d:\d\d:\d\d(\.\d+)?\b")]
    private static partial Regex Time();

    [GeneratedRegex(@"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b")]
    private static partial Regex Address();

    [GeneratedRegex(@"(-[a-f0-9]{8,10})?-[a-z0-9]{5}\b(?=[\s"",/]|$)|-[a-f0-9]{8,10}\b")]
    private static partial Regex PodName();

    [GeneratedRegex(@"\b(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?(ms|s)\b|\b\d+[dhm]\b")]
    private static partial Regex Age();

    [GeneratedRegex(@"\b[1-6]\d{4}\b")]
    private static partial Regex Port();

    [GeneratedRegex(@"[\s]+")]
    private static partial Regex Blanks();
}
