using System.Text.RegularExpressions;
using KubeLB.Api.Messages;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The hostnames that a tenant's listeners and routes may have. <c>example.com</c> allows itself; <c>*.example.com</c> also
/// <c>a.example.com</c> and the hostname <c>*.example.com</c>; <c>**.example.com</c> also those with more labels; <c>*</c> and <c>**</c>
/// allow every hostname, and listeners without a hostname, which serve every domain.
/// </summary>
/// <remarks>The semantics are those of the Enterprise Edition's field of the same name. Comparisons ignore case.</remarks>
public sealed partial class AllowedDomains
{
    private const string OneLabel = "*.";
    private const string AnyLabels = "**.";
    private const int MaxPatternLength = 256;
    private const int MaxListed = 10;

    // Null allows everything, an empty list nothing.
    private readonly List<string>? _patterns;

    private AllowedDomains(List<string>? patterns) => _patterns = patterns;

    /// <summary>Allows every hostname, and listeners without one.</summary>
    public static AllowedDomains Every { get; } = new(patterns: null);

    /// <summary>Whether every hostname is allowed.</summary>
    public bool IsEvery => _patterns is null;

    /// <summary>Parses a list; one that is absent or empty allows everything. Invalid entries allow nothing.</summary>
    public static AllowedDomains Parse(IReadOnlyList<string>? entries)
    {
        if (entries is null or { Count: 0 } || entries.Any(e => e is "*" or "**"))
        {
            return Every;
        }

        return new AllowedDomains([.. entries.Where(IsValid).Select(e => e.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal)]);
    }

    /// <summary>Whether no hostname is allowed, because all entries are invalid.</summary>
    public bool IsNone => _patterns is { Count: 0 };

    /// <summary>Whether an entry is valid.</summary>
    public static bool IsValid(string? entry) =>
        entry is "*" or "**" || (entry is not null && entry.Length <= MaxPatternLength && Pattern().IsMatch(entry));

    /// <summary>Whether a hostname is allowed; null or empty means every hostname.</summary>
    public bool Allows(string? hostname)
    {
        if (_patterns is null)
        {
            return true;
        }

        return !string.IsNullOrEmpty(hostname) && _patterns.Exists(pattern => Allows(pattern, hostname));
    }

    /// <summary>The domains as a list for messages; only the first ones if there are many.</summary>
    public override string ToString() =>
        _patterns switch
        {
            null => "*",
            { Count: 0 } => "none",
            _ => MessageText.List(_patterns, MaxListed),
        };

    /// <summary>Whether the two allow different domains.</summary>
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
