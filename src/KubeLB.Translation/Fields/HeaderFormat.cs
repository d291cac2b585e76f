using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Fields;

/// <summary>
/// Validates header values of filters by the grammar of Envoy's format strings. Envoy evaluates them in the proxy that all tenants share:
/// some command operators read its environment, and one malformed value makes it reject the whole route configuration.
/// </summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators</remarks>
public static partial class HeaderFormat
{
    /// <summary>Operators without arguments.</summary>
    private static readonly HashSet<string> Plain = new(StringComparer.Ordinal)
    {
        "PROTOCOL",
        "RESPONSE_CODE",
        "RESPONSE_FLAGS",
        "DURATION",
        "REQUEST_DURATION",
        "RESPONSE_DURATION",
        "BYTES_RECEIVED",
        "BYTES_SENT",
        "DOWNSTREAM_REMOTE_ADDRESS",
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_REMOTE_PORT",
        "REQUESTED_SERVER_NAME",
        "STREAM_ID",
        "TRACE_ID",
    };

    /// <summary>Operators with the name of a header, optionally one alternative, and optionally a maximum length.</summary>
    private static readonly HashSet<string> OfHeader = new(StringComparer.Ordinal) { "REQ", "RESP", "TRAILER" };

    /// <summary>The operator with an optional format of a time.</summary>
    private const string StartTime = "START_TIME";

    /// <summary>The permitted command operators.</summary>
    public static IReadOnlyList<string> PermittedOperators { get; } = [.. OfHeader, StartTime, .. Plain];

    /// <summary>Why a route's header values are rejected; null if all are permitted.</summary>
    public static string? Problem(IGatewayRoute route)
    {
        for (var r = 0; r < route.Rules.Count; r++)
        {
            var rule = route.Rules[r];
            var problem = Problem(rule.Filters, $"spec.rules[{r}]");
            for (var b = 0; problem is null && b < (rule.BackendRefs?.Count ?? 0); b++)
            {
                problem = Problem(rule.BackendRefs![b].Filters, $"spec.rules[{r}].backendRefs[{b}]");
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>Whether Envoy accepts a value and reads only what is permitted.</summary>
    public static bool IsPermitted(string value)
    {
        for (var i = value.IndexOf('%', StringComparison.Ordinal); i >= 0; i = value.IndexOf('%', i))
        {
            if (i + 1 < value.Length && value[i + 1] == '%')
            {
                i += 2;
            }
            else if (Command().Match(value, i) is { Success: true } command && IsPermitted(command))
            {
                i += command.Length;
            }
            else
            {
                return false;
            }

            if (i >= value.Length)
            {
                return true;
            }
        }

        return true;
    }

    private static bool IsPermitted(Match command)
    {
        var (name, arguments, length) = (command.Groups["name"].Value, command.Groups["arguments"], command.Groups["length"]);
        return OfHeader.Contains(name)
            ? HeaderArguments().IsMatch(arguments.Value)
            : !length.Success && (name == StartTime ? TimeFormat().IsMatch(arguments.Value) : !arguments.Success && Plain.Contains(name));
    }

    private static string? Problem(List<RouteFilter>? filters, string location) =>
        (filters ?? [])
            .SelectMany(filter => new[] { filter.RequestHeaderModifier, filter.ResponseHeaderModifier })
            .OfType<HeaderFilter>()
            .SelectMany(headers => (headers.Set ?? []).Concat(headers.Add ?? []))
            .Where(header => !IsPermitted(header.Value))
            .Select(header => FieldMessages.HeaderValueNotPermitted(location, header.Name, header.Value))
            .FirstOrDefault();

    // Envoy's own pattern of a command; the arguments end at the first parenthesis after which the rest matches.
    [GeneratedRegex(
        @"\G%(?<name>[A-Z0-9_]+)(\((?<arguments>.*?)\))?(:(?<length>[0-9]{1,5}))?%",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant
    )]
    private static partial Regex Command();

    // RFC 9110 section 5.6.2; a pseudo-header of HTTP/2 starts with a colon.
    [GeneratedRegex(
        @"^:?[A-Za-z0-9!#$&'*+.^_`|~-]+(\?:?[A-Za-z0-9!#$&'*+.^_`|~-]+)?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant
    )]
    private static partial Regex HeaderArguments();

    // strftime with Envoy's %3f and the like. Envoy rejects a format with a line break (%n), also with modifiers (E, O) and after %%.
    [GeneratedRegex(@"^(%[1-9]?[A-DF-NP-Za-mo-z]|[A-Za-z0-9 _.,:;/+-])*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex TimeFormat();
}
