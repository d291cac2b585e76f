using System.Globalization;

namespace KubeLB.Translation.Endpoints;

/// <summary>A tenant has more endpoints (addresses times node ports) than its proxies are given.</summary>
/// <param name="Addresses">How many addresses each node port has.</param>
/// <param name="NodePorts">How many node ports there are.</param>
/// <param name="NotServed">How many of them have no endpoints: the highest ones.</param>
/// <param name="From">The lowest of these.</param>
/// <param name="Megabytes">The limit of a tenant.</param>
public sealed record EndpointExcess(int Addresses, int NodePorts, int NotServed, int From, int Megabytes)
{
    /// <summary>What is wrong, the consequence and the remedy.</summary>
    public string Message =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{NotServed} of {NodePorts} node ports, from {From} up, return 503: {Addresses} addresses on each exceed the limit "
        )
        + string.Create(CultureInfo.InvariantCulture, $"of {Megabytes} MB of endpoints. ")
        + "Use fewer Services or list fewer addresses.";
}
