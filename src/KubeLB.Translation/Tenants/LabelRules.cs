using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The labels of generated objects. Controllers of the management cluster select objects by labels, such as GitOps tools, service meshes
/// and monitoring, so few of a tenant's labels are propagated.
/// </summary>
public sealed class LabelRules
{
    /// <summary>The labels that are always propagated.</summary>
    internal static readonly string[] Always = ["app.kubernetes.io/component", "app.kubernetes.io/part-of", "app.kubernetes.io/version"];

    // Controllers of the management cluster act on labels of these domains; no setting allows them.
    private static readonly string[] ReservedDomains =
    [
        "kubelb.k8c.io",
        "envoyproxy.io",
        "gateway.networking.k8s.io",
        "service.kubernetes.io",
        "endpointslice.kubernetes.io",
        "cert-manager.io",
    ];

    private readonly List<KeyGlob> _allowed;
    private readonly string _patterns;

    private LabelRules(IReadOnlyList<string> patterns)
    {
        // An invalid pattern allows nothing.
        _allowed = [.. patterns.Select(pattern => KeyGlob.Parse(pattern).Glob).OfType<KeyGlob>()];
        _patterns = string.Join('\n', patterns.Order(StringComparer.Ordinal));
    }

    /// <summary>Only the labels that are always propagated.</summary>
    public static LabelRules Default { get; } = new([]);

    /// <summary>The rules of a setting <c>propagatedLabels</c>.</summary>
    public static LabelRules Parse(IReadOnlyList<string>? patterns) => patterns is null ? Default : new(patterns);

    /// <summary>The tenant's labels that a generated object gets.</summary>
    public Dictionary<string, string> Apply(IDictionary<string, string>? source) =>
        (source ?? new Dictionary<string, string>())
            .Where(label => label.Value is not null && Passes(label.Key))
            .ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal);

    /// <summary>Whether generated objects may have other labels with the other rules.</summary>
    internal bool Differs(LabelRules other) => _patterns != other._patterns;

    private bool Passes(string key) => !IsReserved(key) && (Always.Contains(key) || _allowed.Exists(pattern => pattern.Matches(key)));

    private static bool IsReserved(string key) =>
        key.Split('/') is [var domain, ..]
        && ReservedDomains.Any(reserved => domain == reserved || domain.EndsWith($".{reserved}", StringComparison.Ordinal));
}
