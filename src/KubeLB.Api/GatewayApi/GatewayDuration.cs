using System.Globalization;
using System.Text.RegularExpressions;

namespace KubeLB.Api.GatewayApi;

/// <summary>Parses durations of Gateway API: one to four whole numbers of at most five digits, each followed by a unit.</summary>
/// <remarks>GEP-2257, https://gateway-api.sigs.k8s.io/geps/gep-2257/. A subset of Go's durations: no signs, fractions, µs or ns.</remarks>
public static partial class GatewayDuration
{
    /// <summary>Parses a duration; null if it is invalid.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (!Whole().IsMatch(text))
        {
            return null;
        }

        var milliseconds = 0L;
        foreach (Match part in Part().Matches(text))
        {
            milliseconds +=
                int.Parse(part.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) * UnitOf(part.Groups[2].ValueSpan);
        }

        return TimeSpan.FromMilliseconds(milliseconds);
    }

    private static long UnitOf(ReadOnlySpan<char> unit) =>
        unit switch
        {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            _ => 1,
        };

    [GeneratedRegex(@"^([0-9]{1,5}(h|m|s|ms)){1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    [GeneratedRegex("([0-9]+)(ms|h|m|s)", RegexOptions.CultureInvariant)]
    private static partial Regex Part();
}
