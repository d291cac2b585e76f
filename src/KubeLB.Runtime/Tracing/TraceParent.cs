using System.Buffers;
using System.Diagnostics;

namespace KubeLB.Runtime.Tracing;

/// <summary>Trace contexts in the W3C format <c>00-TRACE-SPAN-FLAGS</c>, always 55 characters.</summary>
public static class TraceParent
{
    /// <summary>The length of a valid value.</summary>
    public const int Length = 55;

    private const int TraceIdAt = 3;
    private const int SpanIdAt = 36;
    private const int FlagsAt = 53;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>
    /// Parses a value that another cluster wrote. Only version 00 is valid, with lower-case hexadecimal digits and ids that are not zero.
    /// Of the flags, only <c>sampled</c> is read.
    /// </summary>
    /// <param name="text">The value.</param>
    /// <param name="context">The context; the default if the value is not valid.</param>
    /// <returns>Whether the value is valid.</returns>
    public static bool TryParse(string? text, out ActivityContext context)
    {
        context = default;
        if (text is not { Length: Length } || !text.StartsWith("00-", StringComparison.Ordinal) || text[35] != '-' || text[52] != '-')
        {
            return false;
        }

        var traceId = text.AsSpan(TraceIdAt, 32);
        var spanId = text.AsSpan(SpanIdAt, 16);
        var flags = text.AsSpan(FlagsAt, 2);
        if (!IsHex(traceId) || !IsHex(spanId) || !IsHex(flags) || !traceId.ContainsAnyExcept('0') || !spanId.ContainsAnyExcept('0'))
        {
            return false;
        }

        context = new ActivityContext(
            ActivityTraceId.CreateFromString(traceId),
            ActivitySpanId.CreateFromString(spanId),
            (Convert.FromHexString(flags)[0] & 1) != 0 ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None,
            isRemote: true
        );
        return true;
    }

    /// <summary>A new context of a change that is not traced: other processes do not trace it either.</summary>
    public static string NotSampled() => $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);
}
