namespace KubeLB.Translation.Endpoints;

/// <summary>What becomes of one address that a tenant sent.</summary>
/// <param name="Address">As the tenant wrote it, shortened if it is long, without control characters.</param>
/// <param name="Endpoint">
/// What proxies are given: an IP address in its usual spelling, or an absolute host name; null if it is refused.
/// </param>
/// <param name="Problem">Why it is refused; null if it is not.</param>
public sealed record EndpointVerdict(string Address, string? Endpoint, string? Problem)
{
    private const int LongestQuote = 80;

    internal static EndpointVerdict Accepted(string address, string endpoint) => new(Quotable(address), endpoint, null);

    internal static EndpointVerdict BeyondMaximum(int count, int maximum) =>
        new(
            $"{count} more",
            null,
            $"at most {maximum} addresses are used; list fewer, or ask the administrator for a larger spec.addresses.maximum of the Tenant."
        );

    internal static EndpointVerdict Refused(string? address, string problem) => new(Quotable(address), null, problem);

    // A tenant's words go into a condition that others read.
    private static string Quotable(string? text)
    {
        var clean = new string([.. (text ?? "").Take(LongestQuote).Select(c => c is > ' ' and < (char)127 ? c : '?')]);
        return text?.Length > LongestQuote ? clean + "..." : clean;
    }
}
