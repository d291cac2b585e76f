using System.Net;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// Which of the addresses that a tenant sends its proxies may send to. The tenant is not trusted with them: the proxies run in the
/// management cluster and could be made to reach what only that cluster reaches.
/// </summary>
/// <remarks>
/// The first of these that speaks of an address decides: deny of the Tenant, allow of the Tenant, deny of the Config, allow of the Config,
/// what is never or not usually a node's. Both objects are the administrator's, the Tenant's is the more particular one. What cannot be
/// the address of a machine (unspecified, multicast, broadcast, reserved) is refused whatever they say.
/// </remarks>
public sealed class AddressPolicy
{
    /// <summary>How many endpoints a tenant may have unless its settings say otherwise.</summary>
    public const int DefaultMaximum = 1000;

    private readonly Side _tenant;
    private readonly Side _config;
    private readonly int _maximum;

    /// <summary>Reads the settings. A range that cannot be read allows nothing, or denies all addresses of its family.</summary>
    /// <param name="tenant">The Tenant's; null if it has none.</param>
    /// <param name="config">The Config's; null if it has none.</param>
    public AddressPolicy(AddressSettings? tenant, AddressSettings? config)
    {
        _tenant = new Side("Tenant", tenant);
        _config = new Side("Config", config);
        _maximum = tenant?.Maximum ?? config?.Maximum ?? DefaultMaximum;
    }

    /// <summary>Judges the addresses in their order. A refused one does not keep the others from being used.</summary>
    /// <returns>A verdict for each; where there are more than may be, one for all that were not looked at.</returns>
    public IReadOnlyList<EndpointVerdict> Judge(IReadOnlyList<EndpointAddress?>? addresses)
    {
        var verdicts = new List<EndpointVerdict>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var address in addresses ?? [])
        {
            // Refused ones count too: looking at them costs.
            if (verdicts.Count >= _maximum)
            {
                verdicts.Add(EndpointVerdict.BeyondMaximum(addresses!.Count - _maximum, _maximum));
                break;
            }

            var verdict = Judge(address);
            verdicts.Add(
                verdict.Endpoint is { } endpoint && !seen.Add(endpoint)
                    ? EndpointVerdict.Refused(verdict.Address, "it is listed more than once.")
                    : verdict
            );
        }

        return verdicts;
    }

    // As in the contract: if both are set, ip wins.
    private EndpointVerdict Judge(EndpointAddress? address) =>
        !string.IsNullOrEmpty(address?.Ip) ? JudgeIP(address.Ip)
        : !string.IsNullOrEmpty(address?.Hostname) ? JudgeHostname(address.Hostname)
        : EndpointVerdict.Refused("(empty)", "it has neither ip nor hostname.");

    private EndpointVerdict JudgeIP(string text)
    {
        if (AddressText.Parse(text) is not { } address)
        {
            return EndpointVerdict.Refused(
                text,
                "it is no IP address in the usual spelling: four decimal numbers without leading zeros, or IPv6 without zone and brackets."
            );
        }

        if (AddressText.IsIPv4InDisguise(address))
        {
            return EndpointVerdict.Refused(text, $"it is an IPv4 address written as IPv6; write {AddressText.Embedded(address)}.");
        }

        return (Problem(address) ?? (AddressText.Embedded(address) is { } embedded ? Problem(embedded) : null)) is { } problem
            ? EndpointVerdict.Refused(text, problem)
            : EndpointVerdict.Accepted(text, address.ToString());
    }

    private EndpointVerdict JudgeHostname(string text)
    {
        if (Hostnames.Canonical(text) is not { } name)
        {
            return EndpointVerdict.Refused(text, "it is no DNS name.");
        }

        if (Hostnames.IsNumeric(name))
        {
            return EndpointVerdict.Refused(text, "as a host name it would be read as an IP address; write it into ip.");
        }

        // An absolute name is not completed with the management cluster's own domains.
        return Problem(name) is { } problem
            ? EndpointVerdict.Refused(text, problem)
            : EndpointVerdict.Accepted(text, name.Contains('.', StringComparison.Ordinal) ? name + "." : name);
    }

    private string? Problem(IPAddress address) =>
        ReservedAddressRanges.NeverUsable(address) is { } never
            ? $"it is {never} and can never be the address of a node."
            : Decide(
                side => side.Denies(address),
                side => side.Allows(address),
                () =>
                    ReservedAddressRanges.UsableIfAllowed(address) is { } what
                        ? $"it is {what}; use an address of the node that the management cluster can reach."
                        : null
            );

    private string? Problem(string name) =>
        Decide(
            side => side.DeniesName(name),
            side => side.AllowsName(name),
            () =>
                !name.Contains('.', StringComparison.Ordinal)
                    ? "a name of one label would be looked up in the management cluster's own domains; use a complete DNS name."
                : Hostnames.DeniedByDefault.FirstOrDefault(pattern => Hostnames.Matches(pattern, name)) is { } denied
                    ? $"names of the form {denied} mean something else in the management cluster; use a public DNS name of the node."
                : null
        );

    private string? Decide(Func<Side, string?> denies, Func<Side, bool> allows, Func<string?> usually) =>
        denies(_tenant) ?? (allows(_tenant) ? null : denies(_config) ?? (allows(_config) ? null : usually()));

    private sealed class Side
    {
        private readonly string _kind;
        private readonly List<AddressRange> _allow;
        private readonly List<AddressRange> _deny;
        private readonly List<string> _unreadable;
        private readonly IReadOnlyList<string> _allowNames;
        private readonly IReadOnlyList<string> _denyNames;

        public Side(string kind, AddressSettings? settings)
        {
            _kind = kind;
            _allow = [.. (settings?.Allow ?? []).Select(AddressRange.Parse).OfType<AddressRange>()];
            _unreadable = [.. (settings?.Deny ?? []).Where(text => AddressRange.Parse(text) is null)];
            _deny =
            [
                .. (settings?.Deny ?? []).SelectMany(text => AddressRange.Parse(text) is { } range ? [range] : AddressRange.Widest(text)),
            ];
            _allowNames = settings?.AllowHostnames ?? [];
            _denyNames = settings?.DenyHostnames ?? [];
        }

        public bool Allows(IPAddress address) => _allow.Any(range => range.Contains(address));

        public bool AllowsName(string name) => _allowNames.Any(pattern => Hostnames.Matches(pattern, name));

        // The tenant reads this: that it is denied, not the administrator's whole list.
        public string? Denies(IPAddress address) =>
            _deny.Any(range => range.Contains(address))
                ? _unreadable.Count > 0
                    ? $"spec.addresses.deny of the {_kind} denies it, or cannot be read; ask the administrator of the management cluster."
                    : $"spec.addresses.deny of the {_kind} denies it; ask the administrator of the management cluster."
                : null;

        public string? DeniesName(string name) =>
            _denyNames.Any(pattern => Hostnames.Matches(pattern, name))
                ? $"spec.addresses.denyHostnames of the {_kind} denies it; ask the administrator of the management cluster."
                : null;
    }
}
