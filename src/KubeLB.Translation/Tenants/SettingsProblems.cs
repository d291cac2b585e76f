using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// What the operator wrote into a Config or Tenant and cannot be used. Most of it the API server refuses by the CRD already; what gets past
/// it is told in a condition, and something safe is in force instead.
/// </summary>
public static partial class SettingsProblems
{
    private const int LongestMessage = 4000;

    /// <summary>All problems, each a sentence that names the field, says what is in force instead and what to write.</summary>
    public static IEnumerable<string> Of(LayeredSettings? settings)
    {
        if (settings is null)
        {
            yield break;
        }

        if (settings.GatewayAPI?.Class is { Length: > 0 } name && !IsUsableClass(name))
        {
            yield return $"gatewayAPI.class \"{name}\" cannot be the name of a GatewayClass and does not count; write a name of lower-case letters, digits, - and .";
        }

        foreach (
            var (field, limit) in new[] { ("gateway", settings.GatewayAPI?.Gateway?.Limit), ("route", settings.GatewayAPI?.Route?.Limit) }
        )
        {
            if (limit < 0)
            {
                yield return $"gatewayAPI.{field}.limit is {limit} and does not count; write 0 or more, or leave it out for no limit.";
            }
        }

        foreach (var entry in settings.AllowedDomains ?? [])
        {
            if (AllowedDomains.Problem(entry) is { } problem)
            {
                yield return $"allowedDomains \"{entry}\" allows nothing, because {problem}.";
            }
        }

        foreach (var pattern in settings.PropagatedAnnotations?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
        {
            if (KeyGlob.Parse(pattern).Problem is { } problem)
            {
                yield return $"propagatedAnnotations \"{pattern}\" lets nothing through, because {problem}.";
            }
            else if (AnnotationRules.IsReserved(pattern))
            {
                yield return $"propagatedAnnotations \"{pattern}\" lets nothing through: annotations of KubeLB and kubectl are never propagated. Remove it.";
            }
        }

        foreach (var pattern in settings.DeniedAnnotations ?? [])
        {
            if (KeyGlob.Parse(pattern).Problem is { } problem)
            {
                yield return $"deniedAnnotations \"{pattern}\" denies every key that begins with \"{KeyGlob.LiteralPrefix(pattern ?? "")}\", because {problem}; "
                    + "write \\ before a character that is meant as it is.";
            }
        }

        foreach (var (kind, annotations) in settings.DefaultAnnotations ?? [])
        {
            if (!AnnotationRules.Kinds.Contains(kind, StringComparer.OrdinalIgnoreCase))
            {
                yield return $"defaultAnnotations \"{kind}\" is no kind and does not count; write one of {string.Join(", ", AnnotationRules.Kinds)}.";
            }

            foreach (
                var key in (annotations ?? [])
                    .Keys.Where(k => AnnotationRules.IsReserved(k) || !AnnotationKey().IsMatch(k))
                    .Order(StringComparer.Ordinal)
            )
            {
                yield return AnnotationRules.IsReserved(key)
                    ? $"defaultAnnotations.{kind} \"{key}\" is not set, because it belongs to KubeLB or kubectl. Remove it."
                    : $"defaultAnnotations.{kind} \"{key}\" is not set, because it cannot be the key of an annotation; write a name, "
                        + "or a domain and a name such as example.com/name.";
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
        var message = string.Join(' ', Of(settings));
        return message.Length switch
        {
            0 => null,
            > LongestMessage => message[..LongestMessage] + "…",
            _ => message,
        };
    }

    internal static bool IsUsableClass(string? name) => name is { Length: > 0 and <= 253 } && ClassName().IsMatch(name);

    /// <summary>Whether an API server takes the key of an annotation.</summary>
    internal static bool IsAnnotationKey(string key) => AnnotationKey().IsMatch(key);

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex ClassName();

    [GeneratedRegex(
        @"^([a-z0-9A-Z]([-a-z0-9A-Z]{0,61}[a-z0-9A-Z])?(\.[a-z0-9A-Z]([-a-z0-9A-Z]{0,61}[a-z0-9A-Z])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex AnnotationKey();
}
