using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The hostnames that a Route claims: those of the listeners of a Gateway, or of an HTTPRoute or GRPCRoute. A listener or route without
/// hostname claims none. Two claims overlap if a request can match both; <c>*.example.com</c> overlaps <c>a.b.example.com</c>.
/// </summary>
public static class HostnameClaims
{
    // The maximums of Gateway API. The API server rejects what exceeds them.
    private const int MaxListeners = 64;
    private const int MaxHostnames = 16;

    private const string Wildcard = "*.";

    /// <summary>The hostnames of the tenant's object in lower case, regardless of settings; invalid ones are left out.</summary>
    public static IReadOnlyList<string> Of(Route route) => SourceObject.Read(route).Source?.Hostnames ?? [];

    /// <summary>The hostnames of a generated object that it serves: not those of listeners to which no route can be attached.</summary>
    public static IReadOnlyList<string> ServedBy(ApiObject generated) =>
        generated is Gateway gateway
            ? Canonical((gateway.Spec?.Listeners ?? []).Where(GatewayGenerator.IsServed).Select(l => l.Hostname))
            : OfObject(generated);

    /// <summary>The hostnames of a Route, if the settings of its tenant permit the object; else none.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="policy">The effective settings of its tenant.</param>
    public static IReadOnlyList<string> Permitted(Route route, TenantPolicy policy) =>
        Of(route) is { Count: > 0 } hostnames
        && SourceObject.Read(route).Source is { TextRejection: null } source
        && (source.FieldRejection is null || source.Value is Gateway)
        && policy.NodePorts.Problem(source.UsedServices) is null
        && PolicyRejection.Evaluate(route.Namespace, source, policy, isWithinLimit: true) is null
            ? hostnames
            : [];

    /// <summary>Whether two hostnames overlap.</summary>
    public static bool Overlap(string left, string right) => Hostnames.Intersect(left, [right]);

    /// <summary>
    /// Values under which an index has a Route: each hostname, and its domain of one and two labels, in which wildcards are compared.
    /// </summary>
    public static IEnumerable<string> IndexValues(Route route) => Of(route).SelectMany(IndexValues).Distinct(StringComparer.Ordinal);

    /// <summary>The index values of all hostnames that overlap a hostname; the objects found also include others.</summary>
    public static IEnumerable<string> Lookups(string hostname)
    {
        ArgumentNullException.ThrowIfNull(hostname);
        yield return Exactly(hostname);
        var bare = Bare(hostname);
        for (var dot = bare.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = bare.IndexOf('.', dot + 1))
        {
            yield return Exactly(Wildcard + bare[(dot + 1)..]);
        }

        if (bare.Length < hostname.Length)
        {
            yield return Domain(bare, 2);
        }
    }

    // A wildcard of the domain itself, or above it, is found by its exact value.
    internal static IEnumerable<string> IndexValues(string hostname)
    {
        var bare = Bare(hostname);
        var labels = bare.AsSpan().Count('.') + 1;
        yield return Exactly(hostname);
        for (var domain = 1; domain <= 2 && domain < labels; domain++)
        {
            yield return Domain(bare, domain);
        }
    }

    internal static IReadOnlyList<string> OfObject(ApiObject value) =>
        value switch
        {
            Gateway { Spec.Listeners: { Count: <= MaxListeners } listeners } => Canonical(listeners.Select(l => l.Hostname)),
            IGatewayRoute { Hostnames: { Count: > 0 and <= MaxHostnames } hostnames } => Canonical(hostnames),
            _ => [],
        };

    private static IReadOnlyList<string> Canonical(IEnumerable<string?> hostnames) =>
        [.. hostnames.Select(Canonical).OfType<string>().Distinct(StringComparer.Ordinal)];

    private static string? Canonical(string? hostname) =>
        hostname?.StartsWith(Wildcard, StringComparison.Ordinal) == true
            ? Hostnames.Canonical(hostname[Wildcard.Length..]) is { } domain
                ? Wildcard + domain
                : null
            : Hostnames.Canonical(hostname);

    private static string Bare(string hostname) =>
        hostname.StartsWith(Wildcard, StringComparison.Ordinal) ? hostname[Wildcard.Length..] : hostname;

    private static string Exactly(string hostname) => $"={hostname}";

    // The domain of at most so many labels.
    private static string Domain(string name, int labels)
    {
        var start = name.Length;
        for (var i = 0; i < labels && start >= 0; i++)
        {
            start = start == 0 ? -1 : name.LastIndexOf('.', start - 1);
        }

        return $".{name[(start + 1)..]}";
    }
}
