using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>The addresses of a tenant's nodes. One per tenant, named <c>default</c>; written by the CCM.</summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Addresses : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Addresses";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "addresses";

    /// <summary>Name of the object that is used; objects with other names are ignored.</summary>
    public const string DefaultName = "default";

    /// <summary>An empty object of the right type.</summary>
    public Addresses()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>The addresses.</summary>
    public AddressesSpec? Spec { get; set; }

    /// <summary>Which addresses are used; written by the manager.</summary>
    public AddressesStatus? Status { get; set; }
}

/// <summary>Status of <see cref="V1Alpha1.Addresses"/>. An addition of this project.</summary>
public sealed class AddressesStatus : Extensible
{
    /// <summary>Generation of the spec that the status was computed for.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>Condition <see cref="AddressesConditions.Accepted"/>.</summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>Spec of <see cref="V1Alpha1.Addresses"/>.</summary>
public sealed class AddressesSpec : Extensible
{
    /// <summary>One entry per node.</summary>
    public List<EndpointAddress>? Addresses { get; set; }
}

/// <summary>Address of a node: either an IP address or a host name.</summary>
public sealed class EndpointAddress : Extensible
{
    /// <summary>IPv4 or IPv6 address.</summary>
    public string? Ip { get; set; }

    /// <summary>Host name that the proxy resolves.</summary>
    public string? Hostname { get; set; }
}

/// <summary>Condition type and reasons of the status of <see cref="Addresses"/>. An addition of this project.</summary>
public static class AddressesConditions
{
    /// <summary>Type: all addresses are used. Also its reason when it is True.</summary>
    public const string Accepted = "Accepted";

    /// <summary>Reason: some addresses are rejected; the message lists them.</summary>
    public const string AddressesRejected = "AddressesRejected";

    /// <summary>Reason: no address is used, so all routes of the tenant return 503.</summary>
    public const string NoAddresses = "NoAddresses";

    /// <summary>
    /// Reason: some node ports are not served, because addresses times node ports exceed the limit that the message states.
    /// </summary>
    public const string EndpointLimitExceeded = "EndpointLimitExceeded";

    /// <summary>Reason: the object is ignored.</summary>
    public const string NotUsed = "NotUsed";
}
