namespace KubeLB.Api.Messages;

/// <summary>Shortens and cleans text of others before it is quoted in a message.</summary>
public static class MessageText
{
    private const string Ellipsis = "…";

    /// <summary>The text, or its first <paramref name="maxLength"/> characters and an ellipsis. Surrogate pairs are not split.</summary>
    public static string Truncate(string text, int maxLength) =>
        text.Length <= maxLength ? text : text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)] + Ellipsis;

    /// <summary>
    /// The text, truncated, with a question mark for each control character and half of a surrogate pair: what untrusted users write is
    /// shown to others.
    /// </summary>
    public static string Quote(string text, int maxLength)
    {
        var printable = string.Concat(text.Take(maxLength).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return text.Length > maxLength ? printable + Ellipsis : printable;
    }
}
