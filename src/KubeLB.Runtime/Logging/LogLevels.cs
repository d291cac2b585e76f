using System.Globalization;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Logging;

/// <summary>Reads log levels as controllers written in Go with zap take them.</summary>
public static class LogLevels
{
    /// <summary>
    /// <c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c>, <c>panic</c>/<c>fatal</c> or <c>trace</c> in any case, or a verbosity: 0 is
    /// info, 1 is debug, 2 and more is trace.
    /// </summary>
    /// <exception cref="FormatException">The text is none of these; the message lists what is allowed.</exception>
    public static LogLevel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var level = text.Trim().ToLowerInvariant() switch
        {
            "trace" or "verbose" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" or "information" => LogLevel.Information,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "dpanic" or "panic" or "fatal" or "critical" => LogLevel.Critical,
            var other when int.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out var verbosity) => verbosity switch
            {
                0 => LogLevel.Information,
                1 => LogLevel.Debug,
                _ => LogLevel.Trace,
            },
            _ => LogLevel.None,
        };
        return level != LogLevel.None
            ? level
            : throw new FormatException(
                $"\"{text}\" is not a log level: use debug, info, warn, error or panic, or a number (0 info, 1 debug, 2 and more trace)."
            );
    }
}
