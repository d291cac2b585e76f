using System.Text.RegularExpressions;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// Finds invalid settings of a Config or Tenant. The API server rejects most of them by the CRD's schema; the others are reported in a
/// condition, and a safe default is used instead.
/// </summary>
public static partial class SettingsProblems
{
    private const int MaxMessageLength = 4000;
    private const int MaxQuoteLength = 60;

    /// <summary>All problems of the settings, one text of <see cref="SettingsMessages"/> each.</summary>
    public static IEnumerable<string> Find(LayeredSettings? settings)
    {
        if (settings is null)
        {
            yield break;
        }

        if (settings.GatewayAPI?.Class is { Length: > 0 } name && !DnsNames.IsSubdomain(name))
        {
            yield return SettingsMessages.InvalidGatewayClass(name);
        }

        foreach (
            var (field, limit) in new[] { ("gateway", settings.GatewayAPI?.Gateway?.Limit), ("route", settings.GatewayAPI?.Route?.Limit) }
        )
        {
            if (limit is < 0 and var invalid)
            {
                yield return SettingsMessages.InvalidLimit(field, invalid);
            }
        }

        foreach (
            var (field, value, maximum) in new[]
            {
                ("routeBytes", settings.Limits?.RouteBytes, RouteSpecJson.MaxSize),
                ("totalBytes", settings.Limits?.TotalBytes, int.MaxValue),
                ("services", settings.Limits?.Services, int.MaxValue),
                ("totalServices", settings.Limits?.TotalServices, int.MaxValue),
                ("ports", settings.Limits?.Ports, int.MaxValue),
                ("listeners", settings.Limits?.Listeners, int.MaxValue),
                ("hostnames", settings.Limits?.Hostnames, int.MaxValue),
                ("backends", settings.Limits?.Backends, int.MaxValue),
            }
        )
        {
            if (value is { } number && (number < 0 || number > maximum))
            {
                yield return SettingsMessages.InvalidSizeLimit(field, number, maximum);
            }
        }

        foreach (var pattern in settings.PropagatedLabels ?? [])
        {
            if (KeyGlob.Parse(pattern).Problem is { } problem)
            {
                yield return SettingsMessages.InvalidLabelPattern(pattern ?? "", problem);
            }
        }

        if (settings.GatewayAPI?.MaxRetries is < 0 and var retries)
        {
            yield return SettingsMessages.InvalidMaxRetries(retries, GatewayApiSettings.DefaultMaxRetries);
        }

        var addresses = settings switch
        {
            ConfigSpec config => config.Addresses,
            TenantSpec tenant => tenant.Addresses,
            _ => null,
        };
        if (addresses?.NodePorts is { } nodePorts && NodePortRanges.Parse(nodePorts) is null)
        {
            yield return SettingsMessages.InvalidNodePorts(MessageText.Quote(nodePorts, MaxQuoteLength));
        }

        foreach (var entry in settings.AllowedDomains ?? [])
        {
            if (!AllowedDomains.IsValid(entry))
            {
                yield return SettingsMessages.InvalidDomain(entry);
            }
        }

        foreach (var pattern in settings.PropagatedAnnotations?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
        {
            if (KeyGlob.Parse(pattern).Problem is { } problem)
            {
                yield return SettingsMessages.InvalidPropagatedPattern(pattern, problem);
            }
            else if (AnnotationRules.IsReserved(pattern))
            {
                yield return SettingsMessages.ReservedPropagatedPattern(pattern);
            }
        }

        foreach (var pattern in settings.DeniedAnnotations ?? [])
        {
            if (KeyGlob.Parse(pattern).Problem is { } problem)
            {
                yield return SettingsMessages.InvalidDeniedPattern(pattern ?? "", KeyGlob.LiteralPrefix(pattern ?? ""), problem);
            }
        }

        foreach (var (kind, annotations) in settings.DefaultAnnotations ?? [])
        {
            if (!AnnotationRules.Kinds.Contains(kind, StringComparer.OrdinalIgnoreCase))
            {
                yield return SettingsMessages.UnknownDefaultsKind(kind, AnnotationRules.Kinds);
            }

            foreach (
                var key in (annotations ?? [])
                    .Keys.Where(k => AnnotationRules.IsReserved(k) || !AnnotationKey().IsMatch(k))
                    .Order(StringComparer.Ordinal)
            )
            {
                yield return AnnotationRules.IsReserved(key)
                    ? SettingsMessages.ReservedDefault(kind, key)
                    : SettingsMessages.InvalidDefault(kind, key);
            }
        }

        foreach (var problem in ProxySettingsReader.Problems(settings))
        {
            yield return problem;
        }
    }

    /// <summary>The problems as one message of a condition; null if there are none.</summary>
    public static string? MessageOf(LayeredSettings? settings)
    {
        var message = string.Join(' ', Find(settings));
        return message.Length == 0 ? null : MessageText.Truncate(message, MaxMessageLength);
    }

    /// <summary>Whether the key of an annotation is valid.</summary>
    internal static bool IsAnnotationKey(string key) => AnnotationKey().IsMatch(key);

    [GeneratedRegex(
        @"^([a-z0-9A-Z]([-a-z0-9A-Z]{0,61}[a-z0-9A-Z])?(\.[a-z0-9A-Z]([-a-z0-9A-Z]{0,61}[a-z0-9A-Z])?)*/)?"
            + @"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex AnnotationKey();
}
