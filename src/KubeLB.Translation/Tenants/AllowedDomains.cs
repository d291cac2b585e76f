using System.Text.RegularExpressions;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// Which hostnames a tenant's listeners and routes may have. <c>example.com</c> allows itself; <c>*.example.com</c> also
/// <c>a.example.com</c> and the hostname <c>*.example.com</c>; <c>**.example.com</c> also those with more labels; <c>*</c> and <c>**</c>
/// all, and no hostname at all, which stands for every domain.
/// </summary>
/// <remarks>The semantics that Enterprise Edition documents for its field of that name. Compared without case.</remarks>
public sealed partial class AllowedDomains
{
    private const string OneLabel = "*.";
    private const string AnyLabels = "**.";
    private const int Shown = 10;

    // A list that can hold nothing but what cannot be read allows nothing.
    private readonly List<string>? _patterns;

    private AllowedDomains(List<string>? patterns) => _patterns = patterns;

    /// <summary>Every hostname, and none.</summary>
    public static AllowedDomains Every { get; } = new(patterns: null);

    /// <summary>Whether nothing is restricted.</summary>
    public bool IsEvery => _patterns is null;

    /// <summary>Reads a list; one that is absent or empty allows everything. An entry that cannot be read allows nothing.</summary>
    public static AllowedDomains Of(IReadOnlyList<string>? entries)
    {
        if (entries is null or { Count: 0 } || entries.Any(e => e is "*" or "**"))
        {
            return Every;
        }

        return new AllowedDomains([
            .. entries.Where(e => Problem(e) is null).Select(e => e.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal),
        ]);
    }

    /// <summary>What is wrong with an entry; null if nothing is.</summary>
    public static string? Problem(string? entry) =>
        entry is "*" or "**" || (entry is not null && entry.Length <= 256 && Pattern().IsMatch(entry))
            ? null
            : "it is no domain such as example.com, *.example.com or **.example.com";

    /// <summary>Whether a hostname is allowed; null or empty stands for every hostname.</summary>
    public bool Allows(string? hostname)
    {
        if (_patterns is null)
        {
            return true;
        }

        return !string.IsNullOrEmpty(hostname) && _patterns.Exists(pattern => Allows(pattern, hostname));
    }

    /// <summary>The domains as a list for people; the first ones, if there are many.</summary>
    public override string ToString() =>
        _patterns switch
        {
            null => "*",
            { Count: 0 } => "none",
            { Count: <= Shown } => string.Join(", ", _patterns),
            _ => $"{string.Join(", ", _patterns.Take(Shown))} and {_patterns.Count - Shown} more",
        };

    /// <summary>Whether other domains are allowed.</summary>
    internal bool Differs(AllowedDomains other) =>
        _patterns is null || other._patterns is null ? _patterns != other._patterns : !_patterns.SequenceEqual(other._patterns);

    private static bool Allows(string pattern, string hostname)
    {
        var prefix =
            pattern.StartsWith(AnyLabels, StringComparison.Ordinal) ? AnyLabels
            : pattern.StartsWith(OneLabel, StringComparison.Ordinal) ? OneLabel
            : "";
        var domain = pattern.AsSpan(prefix.Length);
        if (hostname.AsSpan().Equals(domain, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (
            prefix.Length == 0
            || hostname.Length < domain.Length + 2
            || !hostname.AsSpan().EndsWith(domain, StringComparison.OrdinalIgnoreCase)
            || hostname[^(domain.Length + 1)] != '.'
        )
        {
            return false;
        }

        return prefix == AnyLabels || !hostname.AsSpan(0, hostname.Length - domain.Length - 1).Contains('.');
    }

    [GeneratedRegex(
        @"^(\*\.|\*\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Pattern();
}
