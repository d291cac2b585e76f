using System.Globalization;
using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Applies header filters: set, then add, then remove.</summary>
internal static class HeaderChanges
{
    /// <summary>Applies the filter to the headers.</summary>
    public static void Apply(IHeaderDictionary headers, IEnumerable<HeaderFilter> filters, SubstitutionContext context)
    {
        foreach (var filter in filters)
        {
            foreach (var header in filter.Set ?? [])
            {
                headers[header.Name] = HeaderSubstitution.Evaluate(header.Value, context);
            }

            foreach (var header in filter.Add ?? [])
            {
                headers[header.Name] = StringValues.Concat(headers[header.Name], HeaderSubstitution.Evaluate(header.Value, context));
            }

            foreach (var name in filter.Remove ?? [])
            {
                headers.Remove(name);
            }
        }
    }
}

/// <summary>Values for Envoy's substitutions in header values.</summary>
internal sealed record SubstitutionContext
{
    /// <summary>A request header by name.</summary>
    public required Func<string, string?> RequestHeader { get; init; }

    /// <summary>A response header by name; null before there is a response.</summary>
    public Func<string, string?> ResponseHeader { get; init; } = _ => null;

    /// <summary>Milliseconds from the start of the request to the first byte of the response; null before.</summary>
    public long? ResponseDuration { get; init; }

    /// <summary>Status of the response; null before.</summary>
    public int? ResponseCode { get; init; }

    /// <summary>For example <c>HTTP/1.1</c>.</summary>
    public string Protocol { get; init; } = "";

    /// <summary>The client's address without port.</summary>
    public string RemoteAddress { get; init; } = "";

    /// <summary>Start time of the request.</summary>
    public DateTimeOffset StartTime { get; init; }
}

/// <summary>
/// Evaluates Envoy's substitutions (<c>%REQ(X-REQUEST-ID)%</c>) in header values. Missing values are replaced by <c>-</c>.
/// </summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators</remarks>
internal static partial class HeaderSubstitution
{
    /// <summary>Evaluates a header value.</summary>
    public static string Evaluate(string value, SubstitutionContext context) =>
        Operator().Replace(value, match => match.Value == "%%" ? "%" : Value(match, context) ?? "-");

    private static string? Value(Match match, SubstitutionContext context)
    {
        var argument = match.Groups["argument"].Value;
        return match.Groups["name"].Value switch
        {
            "REQ" => Header(argument, context.RequestHeader),
            "RESP" => Header(argument, context.ResponseHeader),
            "RESPONSE_DURATION" or "DURATION" => context.ResponseDuration?.ToString(CultureInfo.InvariantCulture),
            "RESPONSE_CODE" => context.ResponseCode?.ToString(CultureInfo.InvariantCulture),
            "PROTOCOL" => context.Protocol,
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" or "DOWNSTREAM_REMOTE_ADDRESS" => context.RemoteAddress,
            "START_TIME" => context.StartTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            _ => null,
        };
    }

    // %REQ(X?Y)%: header Y is the fallback for header X.
    private static string? Header(string argument, Func<string, string?> header) =>
        argument.Split('?').Select(header).FirstOrDefault(value => value is not null);

    [GeneratedRegex(@"%%|%(?<name>[A-Z_]+)(?:\((?<argument>[^)]*)\))?(?::\d+)?%")]
    private static partial Regex Operator();
}
