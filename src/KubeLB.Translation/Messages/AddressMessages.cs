using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Messages;

/// <summary>The condition of Addresses, and the problems of single addresses that it lists.</summary>
internal static class AddressMessages
{
    private const string Kind = Addresses.KindName;
    private const string Rejected = AddressesConditions.AddressesRejected;
    private const string AcceptedFalse = "Accepted=False";

    /// <summary>The Addresses object is not the one that the manager reads.</summary>
    [ReportedMessage(
        AddressesConditions.NotUsed,
        On = Kind,
        Condition = AcceptedFalse,
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the object."
    )]
    public const string NotUsed = "Only the Addresses named " + Addresses.DefaultName + " are used. Delete this object.";

    /// <summary>The object lists no address.</summary>
    [ReportedMessage(
        AddressesConditions.NoAddresses,
        On = Kind,
        Condition = AcceptedFalse,
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    [ReportedMessage(AddressesConditions.NoAddresses, On = "Tenant", Event = "Warning", Reader = MessageReader.Administrator)]
    public const string NoAddresses =
        "No address is listed; requests return 503. Check the nodes of the tenant's cluster and --node-address-type of the CCM.";

    /// <summary>The only address is used.</summary>
    [ReportedMessage(AddressesConditions.Accepted, On = Kind, Condition = "Accepted=True", Reader = MessageReader.Administrator)]
    public const string OneUsed = "The address is used";

    /// <summary>An entry has neither IP address nor hostname.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string Empty = "neither ip nor hostname is set.";

    /// <summary>An address is listed twice.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string Duplicate = "listed more than once.";

    /// <summary>An entry's ip is not an IP address in the usual notation.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string InvalidIp = "invalid IP address; use dotted decimal without leading zeros, or IPv6 without zone and brackets.";

    /// <summary>An entry's hostname is not a DNS name.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string InvalidHostname = "invalid DNS name.";

    /// <summary>Resolvers would read the hostname as an IP address.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string NumericHostname = "this hostname would be read as an IP address; set ip instead.";

    /// <summary>A hostname of one label, which would be resolved in the management cluster's domains.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public const string SingleLabel =
        "a name of one label resolves in the management cluster's own domains; use a fully qualified DNS name.";

    /// <summary>The address belongs to the management cluster: a node, pod, Service, API server or Gateway.</summary>
    [ReportedMessage(
        Rejected,
        On = Kind,
        Condition = AcceptedFalse,
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If it is a node of the tenant, add it to spec.addresses.allow of the Tenant."
    )]
    public const string ManagementCluster =
        "this is an address of the management cluster; if it is a node of yours, ask its administrator to allow it.";

    /// <summary>All addresses are used.</summary>
    [ReportedMessage(AddressesConditions.Accepted, On = Kind, Condition = "Accepted=True", Reader = MessageReader.Administrator)]
    public static string AllUsed(int count) => $"All {count} addresses are used";

    /// <summary>Addresses are rejected; their problems follow.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string SomeRejected(int rejected, int used, IEnumerable<string> problems) =>
        $"{rejected} rejected, {used} used. {string.Join(" ", problems)}";

    /// <summary>More addresses are rejected than the message lists.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string MoreRejected(int count) => $"{count} more are rejected.";

    /// <summary>One address is rejected; its problem follows.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string AddressRejected(string address, string problem) => $"{address}: {problem}";

    /// <summary>Addresses times node ports exceed the limit of a tenant's endpoints.</summary>
    [ReportedMessage(
        AddressesConditions.EndpointLimitExceeded,
        On = Kind,
        Condition = AcceptedFalse,
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Use fewer Services or list fewer addresses."
    )]
    [ReportedMessage(
        AddressesConditions.EndpointLimitExceeded,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "The tenant must use fewer Services or list fewer addresses."
    )]
    public static string EndpointLimitExceeded(int unserved, int nodePorts, int firstNodePort, int addresses, int megabytes) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{unserved} of {nodePorts} node ports, from {firstNodePort} up, return 503: {addresses} addresses on each exceed the limit "
        ) + string.Create(CultureInfo.InvariantCulture, $"of {megabytes} MB of endpoints. Use fewer Services or list fewer addresses.");

    /// <summary>More addresses are listed than a tenant may have.</summary>
    [ReportedMessage(
        Rejected,
        On = Kind,
        Condition = AcceptedFalse,
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "List fewer addresses, or raise spec.addresses.maximum."
    )]
    public static string BeyondMaximum(int maximum) =>
        $"at most {maximum} addresses are used; list fewer, or ask the administrator to raise spec.addresses.maximum of the Tenant.";

    /// <summary>An IPv4 address is written as an IPv6 address.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string IPv4AsIPv6(string ipv4) => $"this is an IPv4 address written as IPv6; use {ipv4}.";

    /// <summary>The address can never be that of a node.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string NeverUsable(string range) => $"this is {range}, which no node can have.";

    /// <summary>The address is of a range that is only used where the settings allow it.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string ReservedRange(string range) =>
        $"this is {range}; use an address of the node that the management cluster can reach.";

    /// <summary>The hostname has another meaning in the management cluster.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string ReservedHostname(string pattern) =>
        $"names of the form {pattern} have another meaning in the management cluster; use a public DNS name of the node.";

    /// <summary>The settings deny the address.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string Denied(string kind) =>
        $"denied by spec.addresses.deny of the {kind}; ask the administrator of the management cluster.";

    /// <summary>The settings deny the address, or an invalid entry of them denies all addresses.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string DeniedOrInvalid(string kind) =>
        $"denied by spec.addresses.deny of the {kind}, or an entry of it is invalid; ask the administrator of the management cluster.";

    /// <summary>The settings limit the addresses to ranges.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string OutsideOfRanges(string kind) =>
        $"not in a range of spec.addresses.ranges of the {kind}; ask the administrator of the management cluster.";

    /// <summary>The settings limit the addresses to ranges, and the addresses of a hostname are not known.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string HostnameOutsideOfRanges(string kind) =>
        $"spec.addresses.ranges of the {kind} permits IP addresses only; use one, or ask the administrator of the management cluster.";

    /// <summary>The settings deny the hostname.</summary>
    [ReportedMessage(Rejected, On = Kind, Condition = AcceptedFalse, Event = "Warning", Reader = MessageReader.Administrator)]
    public static string HostnameDenied(string kind) =>
        $"denied by spec.addresses.denyHostnames of the {kind}; ask the administrator of the management cluster.";
}
