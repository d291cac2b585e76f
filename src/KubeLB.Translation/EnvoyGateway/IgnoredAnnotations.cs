using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Annotations of a tenant's object that look like settings of KubeLB or Envoy Gateway and have no effect: unknown, misspelt, or on an
/// object of another kind.
/// </summary>
internal static class IgnoredAnnotations
{
    private const int MaxQuoteLength = 80;

    private static readonly string[] Prefixes = [ApiGroups.EnvoyGateway + "/", ApiGroups.Kubelb + "/"];

    private static readonly HashSet<string> Own = typeof(Annotations)
        .GetFields()
        .Select(field => (string)field.GetRawConstantValue()!)
        .ToHashSet(StringComparer.Ordinal);

    // Names that other products and Envoy's own API use, without the prefix.
    private static readonly Dictionary<string, string> UsualNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["retry"] = RetryAnnotations.NumRetries,
        ["retries"] = RetryAnnotations.NumRetries,
        ["attempts"] = RetryAnnotations.NumRetries,
        ["max-retries"] = RetryAnnotations.NumRetries,
        ["retry-attempts"] = RetryAnnotations.NumRetries,
        ["retry-count"] = RetryAnnotations.NumRetries,
        ["retry-num-retries"] = RetryAnnotations.NumRetries,
        ["retry-conditions"] = RetryAnnotations.RetryOn,
        ["per-try-timeout"] = RetryAnnotations.PerTryTimeout,
        ["per-retry-timeout"] = RetryAnnotations.PerTryTimeout,
        ["retry-timeout"] = RetryAnnotations.PerTryTimeout,
        ["back-off-base-interval"] = RetryAnnotations.BackOffBaseInterval,
        ["retry-base-interval"] = RetryAnnotations.BackOffBaseInterval,
        ["back-off-max-interval"] = RetryAnnotations.BackOffMaxInterval,
        ["retry-max-interval"] = RetryAnnotations.BackOffMaxInterval,
    };

    /// <summary>A message about the first of them; null if there are none.</summary>
    /// <param name="kind">Kind of the object.</param>
    /// <param name="source">Its metadata.</param>
    /// <param name="rules">The annotations that the administrator propagates.</param>
    public static string? MessageOf(string kind, V1ObjectMeta source, AnnotationRules rules)
    {
        var isRoute = kind is HttpRoute.KindName or GrpcRoute.KindName;
        var ignored = (source.Annotations ?? new Dictionary<string, string>())
            .Where(a => Prefixes.Any(prefix => a.Key.StartsWith(prefix, StringComparison.Ordinal)))
            .Where(a => !Own.Contains(a.Key) && !(isRoute && RetryAnnotations.All.Contains(a.Key)) && !rules.Passes(a.Key, a.Value ?? ""))
            .Select(a => a.Key)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (ignored.Count == 0)
        {
            return null;
        }

        var key = ignored[0];
        return FieldMessages.IgnoredAnnotation(
            MessageText.Quote(key, MaxQuoteLength),
            ignored.Count,
            RetryAnnotations.All.Contains(key) ? FieldMessages.SetOnRoutes
                : Meant(key) is { } meant ? FieldMessages.DidYouMean(meant)
                : FieldMessages.RemoveAnnotation
        );
    }

    // The prefix may be the other one.
    private static string? Meant(string key)
    {
        var name = key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return Misspellings.Nearest($"{ApiGroups.EnvoyGateway}/{name}", RetryAnnotations.All)
            ?? RetryAnnotations.All.FirstOrDefault(a => a == $"{ApiGroups.EnvoyGateway}/{name}")
            ?? UsualNames.GetValueOrDefault(name);
    }
}
