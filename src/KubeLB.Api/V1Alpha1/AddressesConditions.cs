namespace KubeLB.Api.V1Alpha1;

/// <summary>Condition type and reasons of the status of <see cref="Addresses"/>. An addition of this project.</summary>
public static class AddressesConditions
{
    /// <summary>Type: all addresses are used. Also its reason when it is True.</summary>
    public const string Accepted = "Accepted";

    /// <summary>Reason: some are not used; the message names them.</summary>
    public const string AddressesRefused = "AddressesRefused";

    /// <summary>Reason: node ports are not served, since addresses times node ports exceed a limit; the message has the figures.</summary>
    public const string EndpointLimitExceeded = "EndpointLimitExceeded";

    /// <summary>Reason: the object as a whole is not read.</summary>
    public const string NotUsed = "NotUsed";
}
