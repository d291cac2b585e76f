using System.Net;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// Which of a tenant's node addresses its proxies may send traffic to. The tenant is not trusted: the proxies run in the management
/// cluster, and a forged address could give access to services that are only reachable from there.
/// </summary>
/// <remarks>
/// The first match decides: deny of the Tenant, allow of the Tenant, deny of the Config, allow of the Config, the ranges to which Tenant or
/// Config limit the addresses, the reserved ranges, the management cluster's own addresses. Addresses that no machine can have
/// (unspecified, multicast, broadcast, reserved) are rejected regardless of the settings.
/// </remarks>
public sealed class AddressPolicy
{
    /// <summary>Maximum number of addresses of a tenant unless its settings set another.</summary>
    public const int DefaultMaximum = 1000;

    private readonly RuleSet _tenant;
    private readonly RuleSet _config;
    private readonly AddressSet? _managementCluster;
    private readonly string _limitedBy;
    private readonly List<AddressRange>? _ranges;
    private readonly int _maximum;

    /// <summary>Reads the settings. An invalid range in allow is ignored, one in deny denies all addresses of its family.</summary>
    /// <param name="tenant">The Tenant's; null if it has none.</param>
    /// <param name="config">The Config's; null if it has none.</param>
    /// <param name="managementCluster">The addresses of the management cluster itself; null if they are not known.</param>
    public AddressPolicy(AddressSettings? tenant, AddressSettings? config, AddressSet? managementCluster = null)
    {
        _managementCluster = managementCluster;
        (_limitedBy, var ranges) = tenant?.Ranges is not null ? ("Tenant", tenant.Ranges) : ("Config", config?.Ranges);
        _ranges = ranges is null ? null : [.. ranges.Select(AddressRange.Parse).OfType<AddressRange>()];
        _tenant = new RuleSet("Tenant", tenant);
        _config = new RuleSet("Config", config);
        _maximum = tenant?.Maximum ?? config?.Maximum ?? DefaultMaximum;
    }

    /// <summary>Evaluates the addresses in their order. A rejected one does not affect the others.</summary>
    /// <returns>One result per address; those beyond the maximum have one result together.</returns>
    public IReadOnlyList<EndpointResult> Evaluate(IReadOnlyList<EndpointAddress?>? addresses)
    {
        var results = new List<EndpointResult>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var address in addresses ?? [])
        {
            // Rejected addresses also count towards the maximum, which limits the work.
            if (results.Count >= _maximum)
            {
                results.Add(EndpointResult.BeyondMaximum(addresses!.Count - _maximum, _maximum));
                break;
            }

            var result = Evaluate(address);
            results.Add(
                result.Endpoint is { } endpoint && !seen.Add(endpoint)
                    ? EndpointResult.Rejected(result.Address, AddressMessages.Duplicate)
                    : result
            );
        }

        return results;
    }

    // As in the contract, ip takes precedence if both are set.
    private EndpointResult Evaluate(EndpointAddress? address) =>
        !string.IsNullOrEmpty(address?.Ip) ? EvaluateIP(address.Ip)
        : !string.IsNullOrEmpty(address?.Hostname) ? EvaluateHostname(address.Hostname)
        : EndpointResult.Rejected("(empty)", AddressMessages.Empty);

    private EndpointResult EvaluateIP(string text)
    {
        if (AddressText.Parse(text) is not { } address)
        {
            return EndpointResult.Rejected(text, AddressMessages.InvalidIp);
        }

        if (AddressText.IsIPv4MappedOrCompatible(address))
        {
            return EndpointResult.Rejected(text, AddressMessages.IPv4AsIPv6($"{AddressText.Embedded(address)}"));
        }

        return (Problem(address) ?? (AddressText.Embedded(address) is { } embedded ? Problem(embedded) : null)) is { } problem
            ? EndpointResult.Rejected(text, problem)
            : EndpointResult.Accepted(text, address.ToString());
    }

    private EndpointResult EvaluateHostname(string text)
    {
        if (Hostnames.Canonical(text) is not { } name)
        {
            return EndpointResult.Rejected(text, AddressMessages.InvalidHostname);
        }

        if (Hostnames.IsNumeric(name))
        {
            return EndpointResult.Rejected(text, AddressMessages.NumericHostname);
        }

        // With a trailing dot the resolver does not try the management cluster's search domains.
        return Problem(name) is { } problem
            ? EndpointResult.Rejected(text, problem)
            : EndpointResult.Accepted(text, name.Contains('.', StringComparison.Ordinal) ? name + "." : name);
    }

    private string? Problem(IPAddress address) =>
        ReservedAddressRanges.NeverUsable(address) is { } never
            ? AddressMessages.NeverUsable(never)
            : Decide(
                rules => rules.Denies(address),
                rules => rules.Allows(address),
                () =>
                    _ranges?.Any(range => range.Contains(address)) == false ? AddressMessages.OutsideOfRanges(_limitedBy)
                    : ReservedAddressRanges.UsableIfAllowed(address) is { } reserved ? AddressMessages.ReservedRange(reserved)
                    : _managementCluster?.Contains(address) == true ? AddressMessages.ManagementCluster
                    : null
            );

    private string? Problem(string name) =>
        Decide(
            rules => rules.DeniesName(name),
            rules => rules.AllowsName(name),
            () =>
                _ranges is not null ? AddressMessages.HostnameOutsideOfRanges(_limitedBy)
                : !name.Contains('.', StringComparison.Ordinal) ? AddressMessages.SingleLabel
                : Hostnames.DeniedByDefault.FirstOrDefault(pattern => Hostnames.Matches(pattern, name)) is { } denied
                    ? AddressMessages.ReservedHostname(denied)
                : null
        );

    private string? Decide(Func<RuleSet, string?> denies, Func<RuleSet, bool> allows, Func<string?> byDefault) =>
        denies(_tenant) ?? (allows(_tenant) ? null : denies(_config) ?? (allows(_config) ? null : byDefault()));

    private sealed class RuleSet
    {
        private readonly string _kind;
        private readonly List<AddressRange> _allow;
        private readonly List<AddressRange> _deny;
        private readonly bool _hasInvalidDeny;
        private readonly IReadOnlyList<string> _allowNames;
        private readonly IReadOnlyList<string> _denyNames;

        public RuleSet(string kind, AddressSettings? settings)
        {
            _kind = kind;
            _allow = [.. (settings?.Allow ?? []).Select(AddressRange.Parse).OfType<AddressRange>()];
            _hasInvalidDeny = (settings?.Deny ?? []).Any(text => AddressRange.Parse(text) is null);
            _deny =
            [
                .. (settings?.Deny ?? []).SelectMany(text => AddressRange.Parse(text) is { } range ? [range] : AddressRange.Widest(text)),
            ];
            _allowNames = settings?.AllowHostnames ?? [];
            _denyNames = settings?.DenyHostnames ?? [];
        }

        public bool Allows(IPAddress address) => _allow.Any(range => range.Contains(address));

        public bool AllowsName(string name) => _allowNames.Any(pattern => Hostnames.Matches(pattern, name));

        // The tenant can read the message, so it does not disclose the administrator's list.
        public string? Denies(IPAddress address) =>
            !_deny.Any(range => range.Contains(address)) ? null
            : _hasInvalidDeny ? AddressMessages.DeniedOrInvalid(_kind)
            : AddressMessages.Denied(_kind);

        public string? DeniesName(string name) =>
            _denyNames.Any(pattern => Hostnames.Matches(pattern, name)) ? AddressMessages.HostnameDenied(_kind) : null;
    }
}

/// <summary>Whether one of a tenant's addresses is used.</summary>
/// <param name="Address">As the tenant wrote it, truncated; characters other than printable ASCII are replaced by a question mark.</param>
/// <param name="Endpoint">
/// The proxies' endpoint: an IP address in canonical form, or an absolute hostname; null if the address is rejected.
/// </param>
/// <param name="Problem">Why the address is rejected; null if it is not.</param>
public sealed record EndpointResult(string Address, string? Endpoint, string? Problem)
{
    private const int MaxQuoteLength = 80;

    internal static EndpointResult Accepted(string address, string endpoint) => new(Quote(address), endpoint, null);

    internal static EndpointResult BeyondMaximum(int count, int maximum) =>
        new($"{count} more", null, AddressMessages.BeyondMaximum(maximum));

    internal static EndpointResult Rejected(string? address, string problem) => new(Quote(address), null, problem);

    private static string Quote(string? text) =>
        MessageText.Truncate(
            string.Concat((text ?? "").Take(MaxQuoteLength + 1).Select(c => c is > ' ' and < (char)127 ? c : '?')),
            MaxQuoteLength
        );
}
