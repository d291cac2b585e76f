using KubeLB.Api.Serialization;

namespace KubeLB.Manager.Proxies;

/// <summary>What proxies and other clients say, for logs, conditions and Events.</summary>
internal static class EnvoyText
{
    /// <summary>How much is shown, in characters.</summary>
    public const int MaxLength = 500;

    /// <summary>The text on one line, without control characters, cut to <see cref="MaxLength"/>.</summary>
    public static string OneLine(string message)
    {
        var words = new string([.. message.Select(c => char.IsControl(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return TextTruncation.Truncate(string.Join(' ', words), MaxLength);
    }
}
