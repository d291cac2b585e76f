namespace KubeLB.Api.Serialization;

/// <summary>Truncates text of conditions, Events and logs.</summary>
public static class TextTruncation
{
    /// <summary>The text, or its beginning with an ellipsis if it is too long. Does not split surrogate pairs.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The maximum number of UTF-16 characters of the result; at least 2.</param>
    public static string Truncate(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        var end = maxLength - 1;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + "…";
    }
}
