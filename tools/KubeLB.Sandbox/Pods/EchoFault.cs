using System.Globalization;
using KubeLB.Api.Messages;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.Pods;

/// <summary>Faults that clients request with headers, to test retries and timeouts. Invalid values are rejected with 400.</summary>
internal static class EchoFault
{
    private const string Prefix = "x-echo-";

    /// <summary>Status code of the response, or <see cref="Reset"/> to close the connection without a response.</summary>
    private const string Status = Prefix + "status";

    /// <summary>Delay in milliseconds.</summary>
    private const string Delay = Prefix + "delay-ms";

    /// <summary>
    /// Number of failing attempts; all if absent. The stand-in for Envoy Gateway counts them in <c>x-envoy-attempt-count</c>.
    /// </summary>
    private const string Attempts = Prefix + "failing-attempts";

    private const string Reset = "reset";
    private const int MaxDelayMilliseconds = 60_000;
    private const int MaxAttempts = 1_000_000;

    /// <summary>Applies the requested fault.</summary>
    /// <returns>Whether the request was handled.</returns>
    public static async Task<bool> InjectAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (ErrorOf(headers) is { } error)
        {
            await RejectAsync(context, error).ConfigureAwait(false);
            return true;
        }

        if (Number(headers["x-envoy-attempt-count"]) is { } attempt && Number(headers[Attempts]) is { } failing && attempt > failing)
        {
            return false;
        }

        if (Number(headers[Delay]) is { } delay)
        {
            await Task.Delay(delay, context.RequestAborted).ConfigureAwait(false);
        }

        if (headers[Status] == Reset)
        {
            context.Abort();
            return true;
        }

        if (Number(headers[Status]) is not { } status)
        {
            return false;
        }

        context.Response.StatusCode = status;
        return true;
    }

    /// <summary>The error of the first invalid header; null if all are valid.</summary>
    internal static string? ErrorOf(IHeaderDictionary headers) =>
        headers
            .Where(h => h.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .Select(h => ErrorOf(h.Key.ToLowerInvariant(), h.Value.ToString()))
            .FirstOrDefault(error => error is not null);

    private static string? ErrorOf(string name, string value)
    {
        var isValid = name switch
        {
            Status => value == Reset || Number(value) is >= 200 and <= 599,
            Delay => Number(value) is <= MaxDelayMilliseconds,
            Attempts => Number(value) is <= MaxAttempts,
            _ => false,
        };
        return isValid
            ? null
            : name switch
            {
                Status => $"{Name(value)} must be a status from 200 to 599, or {Reset}.",
                Delay => $"{Name(value)} must be a number of milliseconds from 0 to {MaxDelayMilliseconds}.",
                Attempts => $"{Name(value)} must be a number of attempts from 0 to {MaxAttempts}.",
                _ => $"Header {MessageText.Quote(name, 100)} is not known; use {Status}, {Delay} or {Attempts}.",
            };

        string Name(string text) => $"Header {name}, now \"{MessageText.Quote(text, 100)}\",";
    }

    private static async Task RejectAsync(HttpContext context, string error)
    {
        const string invalidArgument = "3";
        if (GrpcEcho.IsGrpcCall(context.Request))
        {
            context.Response.ContentType = context.Request.ContentType;
            context.Response.Headers["grpc-status"] = invalidArgument;
            context.Response.Headers["grpc-message"] = EnvoyGateway.Forwarding.LocalReply.GrpcMessage(error);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(error + "\n", context.RequestAborted).ConfigureAwait(false);
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
