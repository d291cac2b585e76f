using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Endpoints;

/// <summary>Whether a tenant has a usable node, for its Gateways.</summary>
public sealed class NodeAddressProblemTests
{
    private static readonly NodeAddressSettings Settings = new("ExternalIP");

    [Theory]
    [InlineData("False", "NoAddresses", 2, null, "No node of this cluster has a usable ExternalIP; requests return 503.")]
    [InlineData(
        "False",
        "NoAddresses",
        2,
        "10.0.0.1",
        "The management cluster rejects the addresses of all nodes; requests return 503. Why."
    )]
    // Nodes come and go: Gateways must not change back and forth until the manager has reported on each list.
    [InlineData(
        "False",
        "NoAddresses",
        1,
        "10.0.0.1",
        "The management cluster rejects the addresses of all nodes; requests return 503. Why."
    )]
    [InlineData("False", "AddressesRejected", 2, "10.0.0.1", null)]
    [InlineData("True", "Accepted", 2, "10.0.0.1", null)]
    public void Last_report_without_a_used_address_is_the_problem(
        string status,
        string reason,
        int generation,
        string? address,
        string? start
    )
    {
        var addresses = new Addresses
        {
            Metadata = { Name = Addresses.DefaultName, Generation = 2 },
            Spec = new AddressesSpec { Addresses = address is null ? null : [new EndpointAddress { Ip = address }] },
            Status = new AddressesStatus
            {
                Conditions =
                [
                    new Condition
                    {
                        Type = "Accepted",
                        Status = status,
                        Reason = reason,
                        Message = "Why.",
                        ObservedGeneration = generation,
                    },
                ],
            },
        };

        var problem = NodeAddressProblem.Of(addresses, Settings);

        (problem?.Reason).Should().Be(start is null ? null : "NoAddresses");
        (problem?.Message ?? "").Should().StartWith(start ?? "");
    }

    [Fact]
    public void Addresses_without_a_report_are_no_problem()
    {
        NodeAddressProblem.Of(null, Settings).Should().BeNull();
        NodeAddressProblem.Of(new Addresses(), Settings).Should().BeNull();
    }
}
