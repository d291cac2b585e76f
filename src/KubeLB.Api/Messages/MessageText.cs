namespace KubeLB.Api.Messages;

/// <summary>Truncates and sanitizes untrusted text before a message quotes it.</summary>
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

    /// <summary>
    /// The text, truncated, with a question mark in place of each control character and surrogate, because other users read the message.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The maximum number of UTF-16 characters of the result; at least 2.</param>
    public static string Quote(string text, int maxLength) =>
        Truncate(string.Concat(text.Take(maxLength + 1).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)), maxLength);
}
