using System.Globalization;
using System.Text;
using KubeLB.EmbeddedCluster.Errors;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>Names of field managers: from the request, or else from the client's User-Agent.</summary>
internal static class ManagerNames
{
    private const int MaxBytes = 128;

    public static IEnumerable<FieldError> Validate(string manager)
    {
        if (Encoding.UTF8.GetByteCount(manager) > MaxBytes)
        {
            yield return FieldError.TooLong("fieldManager", MaxBytes);
        }
        if (manager.EnumerateRunes().Any(rune => !IsPrintable(rune)))
        {
            yield return FieldError.Invalid("fieldManager", manager, "should only contain printable characters");
        }
    }

    /// <summary>The printable part of a User-Agent before the first slash, truncated to the maximum length.</summary>
    public static string OfAgent(string userAgent)
    {
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in userAgent.Split('/', 2)[0].EnumerateRunes().Where(IsPrintable))
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }
            name.Append(rune.ToString());
        }
        return name.ToString();
    }

    private static bool IsPrintable(Rune rune) =>
        rune.Value == ' '
        || Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.SpaceSeparator
            );
}
