using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Endpoints;

/// <summary>Whether a tenant has no node that its proxies can send traffic to, for the conditions of its Gateways.</summary>
public static class NodeAddressProblem
{
    /// <summary>
    /// Why all routes return 503; null if an address is used. The last report is valid until the next one: nodes may change all the time.
    /// </summary>
    /// <param name="addresses">The tenant's Addresses with the manager's status; null if there are none.</param>
    /// <param name="settings">Which addresses the CCM lists.</param>
    public static Rejection? Of(Addresses? addresses, NodeAddressSettings settings) =>
        addresses?.Status?.Conditions?.Find(c => c.Type == AddressesConditions.Accepted)
            is { IsTrue: false, Reason: AddressesConditions.NoAddresses } condition
            ? new Rejection(
                AddressesConditions.NoAddresses,
                addresses.Spec?.Addresses is { Count: > 0 }
                    ? GatewayMessages.NodeAddressesRejected(condition.Message)
                    : GatewayMessages.NoNodeAddresses(settings.AddressType)
            )
            : null;
}
