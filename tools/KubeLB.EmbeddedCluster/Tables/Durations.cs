using System.Globalization;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>Formats durations as kubectl does.</summary>
internal static class Durations
{
    /// <summary>Time since an RFC 3339 timestamp; <c>&lt;unknown&gt;</c> if there is none.</summary>
    public static string Since(string? timestamp, DateTimeOffset now) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Human(now - time)
            : "<unknown>";

    /// <summary>Formats a duration like apimachinery's <c>HumanDuration</c>.</summary>
    public static string Human(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }
        if (seconds < 0)
        {
            return "0s";
        }
        if (seconds < 120)
        {
            return $"{seconds}s";
        }
        var minutes = seconds / 60;
        if (minutes < 10)
        {
            return seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s";
        }
        if (minutes < 180)
        {
            return $"{minutes}m";
        }
        var hours = minutes / 60;
        if (hours < 8)
        {
            return minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m";
        }
        if (hours < 48)
        {
            return $"{hours}h";
        }
        if (hours < 24 * 8)
        {
            return hours % 24 == 0 ? $"{hours / 24}d" : $"{hours / 24}d{hours % 24}h";
        }
        if (hours < 24 * 365 * 2)
        {
            return $"{hours / 24}d";
        }
        var years = hours / 24 / 365;
        var days = hours / 24 % 365;
        return years < 8 && days > 0 ? $"{years}y{days}d" : $"{years}y";
    }
}
