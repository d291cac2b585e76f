using System.Globalization;
using System.Text;

namespace KubeLB.Api.Messages;

/// <summary>Truncates and escapes untrusted text before a message quotes it.</summary>
public static class MessageText
{
    private const string Ellipsis = "…";

    /// <summary>The text, or its beginning with an ellipsis if it is too long. Surrogate pairs are not split.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The maximum number of UTF-16 characters of the result; at least 2.</param>
    public static string Truncate(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        var end = maxLength - Ellipsis.Length;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + Ellipsis;
    }

    /// <summary>The text, escaped and truncated, because other users read the message.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The maximum number of UTF-16 characters of the result; at least 2.</param>
    public static string Quote(string text, int maxLength) =>
        Truncate(Escape(text.Length > maxLength ? text[..(maxLength + 1)] : text), maxLength);

    /// <summary>The first names, separated by commas, and how many more there are.</summary>
    /// <param name="names">The names.</param>
    /// <param name="max">The maximum number of names that are listed.</param>
    public static string List(IReadOnlyCollection<string> names, int max) => List(names, names.Count, max);

    /// <summary>The first names, separated by commas, and how many more there are.</summary>
    /// <param name="names">The names; only the first ones are enumerated.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="max">The maximum number of names that are listed.</param>
    public static string List(IEnumerable<string> names, int count, int max) =>
        string.Join(", ", names.Take(max)) + (count > max ? string.Create(CultureInfo.InvariantCulture, $" and {count - max} more") : "");

    /// <summary>
    /// The text on one line, as it is stored: control characters, line and paragraph separators, controls of the writing direction and
    /// incomplete surrogate pairs are replaced by their escape sequences, such as <c>\n</c> and <c>\u001b</c>.
    /// </summary>
    public static string Escape(string text) => Escape(text, keepsLines: false);

    /// <summary>
    /// A complete message, escaped except for line feeds, and truncated. Line feeds separate the problems that a message lists; those in
    /// quoted texts have been escaped by <see cref="Quote"/>.
    /// </summary>
    /// <param name="text">The message.</param>
    /// <param name="maxLength">The maximum number of UTF-16 characters of the result; at least 2.</param>
    public static string Message(string text, int maxLength) => Truncate(Escape(text, keepsLines: true), maxLength);

    /// <summary>A text of several lines, such as an exception: each line is escaped, and all but the first are indented.</summary>
    public static string EscapeLines(string text) =>
        string.Join($"{Environment.NewLine}  ", text.ReplaceLineEndings("\n").Split('\n').Select(Escape));

    private static string Escape(string text, bool keepsLines)
    {
        var index = 0;
        while (index < text.Length && !IsEscaped(text, index, keepsLines))
        {
            index++;
        }

        if (index == text.Length)
        {
            return text;
        }

        var result = new StringBuilder(text, 0, index, text.Length + 16);
        for (; index < text.Length; index++)
        {
            if (!IsEscaped(text, index, keepsLines))
            {
                result.Append(text[index]);
                continue;
            }

            _ = text[index] switch
            {
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                var c => result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            };
        }

        return result.ToString();
    }

    private static bool IsEscaped(string text, int index, bool keepsLines)
    {
        var c = text[index];
        return (c < ' ' && !(keepsLines && c == '\n'))
            || (
                c >= '\u007f'
                && (
                    char.IsControl(c)
                    || c is '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069')
                    || (char.IsHighSurrogate(c) && !(index + 1 < text.Length && char.IsLowSurrogate(text[index + 1])))
                    || (char.IsLowSurrogate(c) && !(index > 0 && char.IsHighSurrogate(text[index - 1])))
                )
            );
    }
}
