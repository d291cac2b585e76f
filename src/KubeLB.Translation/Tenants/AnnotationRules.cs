using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// Which annotations generated objects get: those of the tenant's object that are propagated and not denied, then the defaults of the kind,
/// which never replace one. What belongs to KubeLB and kubectl never passes; what Envoy Gateway may act on only where an allowed key names
/// its group, however much else is propagated.
/// </summary>
public sealed class AnnotationRules
{
    /// <summary>Key of <c>defaultAnnotations</c> for every kind.</summary>
    public const string All = "all";

    /// <summary>Key of <c>defaultAnnotations</c> for Services.</summary>
    public const string Service = "service";

    private const string EnvoyGateway = ApiGroups.EnvoyGateway + "/";

    /// <summary>The kinds that <c>defaultAnnotations</c> may name; not all of them are generated here.</summary>
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

    private static readonly string[] NeverCarried = [ApiGroups.Kubelb + "/", "kubectl.kubernetes.io/"];

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
            // What cannot be read allows nothing.
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
                // What cannot be read denies all that it could have been meant for.
                _deniedPrefixes.Add(KeyGlob.LiteralPrefix(pattern ?? ""));
            }
        }

        // Of two spellings of a kind the last one counts.
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
    /// The rules in force. A Tenant that says anything of what is propagated says it all; what it denies, and its defaults, replace the
    /// Config's.
    /// </summary>
    public static AnnotationRules Of(PropagationSettings? config, PropagationSettings? tenant)
    {
        var propagation = tenant is { PropagateAllAnnotations: not null } or { PropagatedAnnotations: not null } ? tenant : config;
        return new(
            propagation?.PropagateAllAnnotations ?? false,
            propagation?.PropagatedAnnotations,
            tenant?.DeniedAnnotations ?? config?.DeniedAnnotations,
            tenant?.DefaultAnnotations ?? config?.DefaultAnnotations
        );
    }

    /// <summary>Whether keys are KubeLB's or kubectl's own.</summary>
    internal static bool IsReserved(string key) => NeverCarried.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The annotations of a generated object; null if it gets none.</summary>
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

    /// <summary>Whether generated objects of a kind may get other annotations by other rules.</summary>
    internal bool MayDiffer(string kind, AnnotationRules other) =>
        _propagation != other._propagation || !DefaultsOf(kind).ToHashSet().SetEquals(other.DefaultsOf(kind));

    /// <summary>Whether the operator denies a key: then it has no effect, whatever else is set.</summary>
    public bool Denies(string key) =>
        _denied.Exists(d => d.Matches(key)) || _deniedPrefixes.Exists(p => key.StartsWith(p, StringComparison.Ordinal));

    private bool Passes(string key, string value)
    {
        if (!IsUsable(key) || Denies(key))
        {
            return false;
        }

        var isEnvoyGateways = key.StartsWith(EnvoyGateway, StringComparison.Ordinal);
        if (_propagatesAll && !isEnvoyGateways)
        {
            return true;
        }

        return _allowed.Exists(rule =>
            rule.Key.Matches(key)
            && (rule.Values.Count == 0 || rule.Values.Contains(value))
            && (!isEnvoyGateways || KeyGlob.LiteralPrefix(rule.Key.Pattern).StartsWith(EnvoyGateway, StringComparison.Ordinal))
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
