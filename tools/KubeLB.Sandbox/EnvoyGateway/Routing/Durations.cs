using System.Globalization;
using System.Text.RegularExpressions;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>Gateway API durations such as <c>1h30m</c> or <c>500ms</c>.</summary>
/// <remarks>GEP-2257.</remarks>
internal static partial class Durations
{
    /// <summary>Reads a duration; null if it is absent, not valid or zero, which means no limit.</summary>
    public static TimeSpan? Parse(string? text)
    {
        if (text is null || !Whole().IsMatch(text))
        {
            return null;
        }

        var total = TimeSpan.Zero;
        foreach (var part in Part().EnumerateMatches(text))
        {
            var span = text.AsSpan(part.Index, part.Length);
            var digits = span.IndexOfAnyExceptInRange('0', '9');
            var number = int.Parse(span[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            total += span[digits..] switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMilliseconds(number),
            };
        }

        return total == TimeSpan.Zero ? null : total;
    }

    [GeneratedRegex("^([0-9]{1,5}(h|m|s|ms)){1,4}$")]
    private static partial Regex Whole();

    [GeneratedRegex("[0-9]+(ms|h|m|s)")]
    private static partial Regex Part();
}
