using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.Pods;

/// <summary>Lets clients ask an echo backend to fail, so that they can see retries and time-outs at work.</summary>
internal static class EchoFault
{
    /// <summary>Answer with this status code, or <c>reset</c> to close the connection without an answer.</summary>
    public const string Status = "x-echo-status";

    /// <summary>Wait so many milliseconds first.</summary>
    public const string Delay = "x-echo-delay-ms";

    /// <summary>
    /// Fail only so many attempts; all if absent. The stand-in for Envoy Gateway counts them in <c>x-envoy-attempt-count</c>.
    /// </summary>
    public const string Attempts = "x-echo-failing-attempts";

    private const int LongestDelay = 60_000;

    /// <summary>Fails as asked.</summary>
    /// <returns>Whether the request has been dealt with.</returns>
    public static async Task<bool> InjectAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (Number(headers, "x-envoy-attempt-count") is { } attempt && Number(headers, Attempts) is { } failing && attempt > failing)
        {
            return false;
        }

        if (Number(headers, Delay) is { } delay)
        {
            await Task.Delay(Math.Clamp(delay, 0, LongestDelay), context.RequestAborted).ConfigureAwait(false);
        }

        if (headers[Status] == "reset")
        {
            context.Abort();
            return true;
        }

        if (Number(headers, Status) is not (>= 200 and <= 599 and var status))
        {
            return false;
        }

        context.Response.StatusCode = status;
        return true;
    }

    private static int? Number(IHeaderDictionary headers, string name) =>
        int.TryParse(headers[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
