using System.Text.RegularExpressions;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Status;

/// <summary>
/// Translates what Envoy Gateway reports to the tenant's words: the names of generated objects, and of objects of others, say nothing to a
/// tenant and do not belong into its cluster.
/// </summary>
public static partial class TenantText
{
    private static readonly string[] BackendReasons =
    [
        GatewayConditions.BackendNotFound,
        GatewayConditions.PortNotFound,
        GatewayConditions.PortNotSpecified,
        GatewayConditions.InvalidKind,
        GatewayConditions.RefNotPermitted,
    ];

    /// <summary>
    /// The message with the names of the tenant's objects. Names that are not known are not disclosed: then the message says only the
    /// reason.
    /// </summary>
    /// <param name="message">The message as reported.</param>
    /// <param name="reason">The reason of its condition.</param>
    /// <param name="originOf">
    /// <c>namespace/name</c> of the tenant's object by the name of the generated one; null if it is none of the tenant's.
    /// </param>
    public static string Translate(string message, string reason, Func<string, string?> originOf)
    {
        var isKnown = true;
        var translated = GeneratedName()
            .Replace(
                message,
                match =>
                {
                    var origin = originOf(match.Groups["name"].Value);
                    isKnown &= origin is not null;
                    return origin ?? "";
                }
            );
        return isKnown && !translated.Contains(UnresolvedNames.Prefix, StringComparison.Ordinal)
            ? WithAdvice(translated)
            : RouteMessages.ReportedOnly(reason);
    }

    // Envoy Gateway's messages that do not name the mistake, or not how to correct it.
    private static string WithAdvice(string message)
    {
        if (UnknownFilter().Match(message) is { Success: true } filter)
        {
            return RouteMessages.UnsupportedFilter(filter.Groups["type"].Value);
        }

        var advice =
            message.Contains("is invalid: error parsing regexp", StringComparison.Ordinal) ? RouteMessages.InvalidRegexRemedy
            : message.Contains("cannot set the Host header", StringComparison.Ordinal)
            || message.Contains("did not provide valid configuration to add/set/remove any headers", StringComparison.Ordinal)
                ? RouteMessages.HostHeaderRemedy
            : null;
        return advice is null ? message : $"{message.TrimEnd('.')}. {advice}";
    }

    /// <summary>
    /// Whether Envoy Gateway reports a missing backend of a route whose backends exist in the tenant's cluster: they are still being set
    /// up.
    /// </summary>
    public static bool IsAboutPendingBackends(Condition reported) =>
        reported is { Type: GatewayConditions.ResolvedRefs, Status: ConditionStatus.False } && BackendReasons.Contains(reported.Reason);

    [GeneratedRegex(@"^Invalid filter: unknown type (?<type>[A-Za-z]{1,63})\.?$")]
    private static partial Regex UnknownFilter();

    // A namespace of the management cluster and the name of an object in it.
    [GeneratedRegex(@"(?<![\w./-])tenant-[a-z0-9](?:[-a-z0-9]*[a-z0-9])?/(?<name>[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)")]
    private static partial Regex GeneratedName();
}
