using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The annotations of generated objects: those of the tenant's object that are propagated and not denied, then the defaults of the kind,
/// which never override. Annotations of KubeLB and kubectl are never propagated; those of Envoy Gateway only if an allowed key names its
/// group, even with propagateAllAnnotations.
/// </summary>
public sealed class AnnotationRules
{
    /// <summary>Key of <c>defaultAnnotations</c> for every kind.</summary>
    public const string All = "all";

    /// <summary>Key of <c>defaultAnnotations</c> for Services.</summary>
    public const string Service = "service";

    private const string EnvoyGateway = ApiGroups.EnvoyGateway + "/";

    /// <summary>The kinds that <c>defaultAnnotations</c> may name; not all of them are generated.</summary>
    internal static readonly string[] Kinds =
    [
        All,
        Service,
        "ingress",
        "gateway",
        "httproute",
        "grpcroute",
        "tcproute",
        "udproute",
        "tlsroute",
    ];

    private static readonly string[] ReservedPrefixes = [ApiGroups.Kubelb + "/", "kubectl.kubernetes.io/"];

    private readonly bool _propagatesAll;
    private readonly List<(KeyGlob Key, IReadOnlyList<string> Values)> _allowed = [];
    private readonly List<KeyGlob> _denied = [];
    private readonly List<string> _deniedPrefixes = [];
    private readonly Dictionary<string, Dictionary<string, string>> _defaults;
    private readonly string _propagation;

    private AnnotationRules(
        bool propagatesAll,
        Dictionary<string, string>? allowed,
        List<string>? denied,
        Dictionary<string, Dictionary<string, string>>? defaults
    )
    {
        _propagatesAll = propagatesAll;
        foreach (var (pattern, values) in allowed ?? [])
        {
            // An invalid pattern allows nothing.
            if (KeyGlob.Parse(pattern).Glob is { } glob)
            {
                _allowed.Add((glob, ValuesOf(values)));
            }
        }

        foreach (var pattern in denied ?? [])
        {
            if (KeyGlob.Parse(pattern).Glob is { } glob)
            {
                _denied.Add(glob);
            }
            else
            {
                // An invalid pattern denies all keys that it could match.
                _deniedPrefixes.Add(KeyGlob.LiteralPrefix(pattern ?? ""));
            }
        }

        // Kinds are compared case-insensitively. If several are equal, the last one is used.
        _defaults = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (kind, annotations) in defaults ?? [])
        {
            _defaults[kind] = annotations ?? [];
        }

        _propagation = JsonSerializer.Serialize(
            new
            {
                propagatesAll,
                allowed = (allowed ?? []).OrderBy(a => a.Key, StringComparer.Ordinal),
                denied = (denied ?? []).Order(StringComparer.Ordinal),
            }
        );
    }

    /// <summary>Nothing is propagated, and there are no defaults.</summary>
    public static AnnotationRules None { get; } = new(propagatesAll: false, null, null, null);

    /// <summary>
    /// Merges the settings. If the Tenant sets one of the two fields about propagation, the Config's are ignored; its denied annotations
    /// and defaults replace the Config's.
    /// </summary>
    public static AnnotationRules Merge(PropagationSettings? config, PropagationSettings? tenant)
    {
        var propagation = tenant is { PropagateAllAnnotations: not null } or { PropagatedAnnotations: not null } ? tenant : config;
        return new(
            propagation?.PropagateAllAnnotations ?? false,
            propagation?.PropagatedAnnotations,
            tenant?.DeniedAnnotations ?? config?.DeniedAnnotations,
            tenant?.DefaultAnnotations ?? config?.DefaultAnnotations
        );
    }

    /// <summary>Whether a key is reserved for KubeLB or kubectl.</summary>
    internal static bool IsReserved(string key) => ReservedPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The annotations of a generated object; null if there are none.</summary>
    /// <param name="kind">Its kind, for example <c>HTTPRoute</c>.</param>
    /// <param name="source">The annotations of the tenant's object; untrusted.</param>
    public Dictionary<string, string>? Apply(string kind, IDictionary<string, string>? source)
    {
        var result = (source ?? new Dictionary<string, string>())
            .Where(a => a.Value is not null && Passes(a.Key, a.Value))
            .ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        foreach (var (key, value) in DefaultsOf(kind))
        {
            result.TryAdd(key, value);
        }

        return result.Count > 0 ? result : null;
    }

    /// <summary>Whether generated objects of a kind may have other annotations with the other rules.</summary>
    internal bool MayDiffer(string kind, AnnotationRules other) =>
        _propagation != other._propagation || !DefaultsOf(kind).ToHashSet().SetEquals(other.DefaultsOf(kind));

    /// <summary>
    /// Whether the administrator denies a key of the tenant's annotations. This takes precedence over the rules that allow it.
    /// </summary>
    public bool Denies(string key) =>
        _denied.Exists(d => d.Matches(key)) || _deniedPrefixes.Exists(p => key.StartsWith(p, StringComparison.Ordinal));

    /// <summary>Whether an annotation of the tenant's object is propagated.</summary>
    internal bool Passes(string key, string value)
    {
        if (!IsUsable(key) || Denies(key))
        {
            return false;
        }

        var isOfEnvoyGateway = key.StartsWith(EnvoyGateway, StringComparison.Ordinal);
        if (_propagatesAll && !isOfEnvoyGateway)
        {
            return true;
        }

        return _allowed.Exists(rule =>
            rule.Key.Matches(key)
            && (rule.Values.Count == 0 || rule.Values.Contains(value))
            && (!isOfEnvoyGateway || KeyGlob.LiteralPrefix(rule.Key.Pattern).StartsWith(EnvoyGateway, StringComparison.Ordinal))
        );
    }

    private static bool IsUsable(string key) => !IsReserved(key) && SettingsProblems.IsAnnotationKey(key);

    private IEnumerable<KeyValuePair<string, string>> DefaultsOf(string kind) =>
        OfKind(kind).Concat(OfKind(All)).DistinctBy(a => a.Key, StringComparer.Ordinal);

    private IEnumerable<KeyValuePair<string, string>> OfKind(string kind) =>
        _defaults.TryGetValue(kind, out var annotations) ? annotations.Where(a => a.Value is not null && IsUsable(a.Key)) : [];

    private static string[] ValuesOf(string? values) =>
        string.IsNullOrWhiteSpace(values) ? [] : values.Split(',', StringSplitOptions.TrimEntries);
}
