using System.Globalization;
using System.Text.RegularExpressions;

namespace KubeLB.Sandbox.EnvoyGateway.Filtering;

/// <summary>What Envoy's substitutions in header values can refer to.</summary>
internal sealed record SubstitutionContext
{
    /// <summary>A request header by name.</summary>
    public required Func<string, string?> RequestHeader { get; init; }

    /// <summary>A response header by name; null before there is a response.</summary>
    public Func<string, string?> ResponseHeader { get; init; } = _ => null;

    /// <summary>Milliseconds from the request's arrival to the response's first byte; null before.</summary>
    public long? ResponseDuration { get; init; }

    /// <summary>Status of the response; null before.</summary>
    public int? ResponseCode { get; init; }

    /// <summary>For example <c>HTTP/1.1</c>.</summary>
    public string Protocol { get; init; } = "";

    /// <summary>The client's address without port.</summary>
    public string RemoteAddress { get; init; } = "";

    /// <summary>When the request arrived.</summary>
    public DateTimeOffset StartTime { get; init; }
}

/// <summary>Evaluates Envoy's substitutions (<c>%REQ(X-REQUEST-ID)%</c>) in header values. What has no value becomes <c>-</c>.</summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators</remarks>
internal static partial class HeaderSubstitution
{
    /// <summary>The value to send.</summary>
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

    // %REQ(X?Y)%: the header Y stands in for an absent X.
    private static string? Header(string argument, Func<string, string?> header) =>
        argument.Split('?').Select(header).FirstOrDefault(value => value is not null);

    [GeneratedRegex(@"%%|%(?<name>[A-Z_]+)(?:\((?<argument>[^)]*)\))?(?::\d+)?%")]
    private static partial Regex Operator();
}
