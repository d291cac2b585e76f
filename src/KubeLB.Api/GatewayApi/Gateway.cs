using k8s.Models;

namespace KubeLB.Api.GatewayApi;

/// <summary>An instance of traffic handling: addresses and listeners.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#gateway</remarks>
[KubernetesEntity(Group = ApiGroups.GatewayApi, ApiVersion = GatewayApiVersion.V1, Kind = KindName, PluralName = PluralName)]
public sealed class Gateway : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Gateway";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "gateways";

    /// <summary>An empty object of the right type.</summary>
    public Gateway()
    {
        ApiVersion = GatewayApiVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public GatewaySpec? Spec { get; set; }

    /// <summary>Status.</summary>
    public GatewayStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="Gateway"/>.</summary>
public sealed class GatewaySpec : Extensible
{
    /// <summary>Name of the GatewayClass.</summary>
    public string? GatewayClassName { get; set; }

    /// <summary>Listeners, 1-64, with unique names.</summary>
    public List<Listener>? Listeners { get; set; }

    /// <summary>Requested addresses.</summary>
    public List<GatewayAddress>? Addresses { get; set; }

    /// <summary>Settings of the infrastructure created for the Gateway.</summary>
    public GatewayInfrastructure? Infrastructure { get; set; }
}

/// <summary>A port, protocol and host name that a Gateway listens on.</summary>
public sealed class Listener : Extensible
{
    /// <summary>Name, unique within the Gateway.</summary>
    public string Name { get; set; } = "";

    /// <summary>Host name, possibly with a <c>*.</c> prefix; absent matches all.</summary>
    public string? Hostname { get; set; }

    /// <summary>Port, 1-65535.</summary>
    public int Port { get; set; }

    /// <summary>HTTP, HTTPS, TLS, TCP, UDP or a domain-prefixed name.</summary>
    public string Protocol { get; set; } = "";

    /// <summary>TLS settings.</summary>
    public ListenerTls? Tls { get; set; }

    /// <summary>Which routes may attach; routes of the Gateway's namespace if absent.</summary>
    public AllowedRoutes? AllowedRoutes { get; set; }
}

/// <summary>TLS settings of a <see cref="Listener"/>.</summary>
public sealed class ListenerTls : Extensible
{
    /// <summary>Terminate (if absent) or Passthrough.</summary>
    public string? Mode { get; set; }

    /// <summary>Secrets that contain the certificates.</summary>
    public List<SecretObjectReference>? CertificateRefs { get; set; }
}

/// <summary>Reference to a Secret or similar object.</summary>
public sealed class SecretObjectReference : Extensible
{
    /// <summary>API group, core if absent.</summary>
    public string? Group { get; set; }

    /// <summary>Kind, Secret if absent.</summary>
    public string? Kind { get; set; }

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Namespace, the referring object's if absent.</summary>
    public string? Namespace { get; set; }
}

/// <summary>Which routes may attach to a listener.</summary>
public sealed class AllowedRoutes : Extensible
{
    /// <summary>Namespaces of the routes.</summary>
    public RouteNamespaces? Namespaces { get; set; }

    /// <summary>Route kinds; those of the protocol if absent or empty.</summary>
    public List<RouteGroupKind>? Kinds { get; set; }
}

/// <summary>Namespaces that routes may attach from.</summary>
public sealed class RouteNamespaces : Extensible
{
    /// <summary>All, Same (if absent), Selector or None.</summary>
    public string? From { get; set; }

    /// <summary>Selector over the labels of Namespaces, for <c>Selector</c>.</summary>
    public V1LabelSelector? Selector { get; set; }
}

/// <summary>Kind of route.</summary>
public sealed class RouteGroupKind : Extensible
{
    /// <summary>API group, Gateway API's if absent.</summary>
    public string? Group { get; set; }

    /// <summary>Kind.</summary>
    public string Kind { get; set; } = "";
}

/// <summary>An address of a Gateway.</summary>
public sealed class GatewayAddress : Extensible
{
    /// <summary>IPAddress (if absent), Hostname or a domain-prefixed name.</summary>
    public string? Type { get; set; }

    /// <summary>The address.</summary>
    public string? Value { get; set; }
}

/// <summary>Settings of the infrastructure created for a Gateway.</summary>
public sealed class GatewayInfrastructure : Extensible
{
    /// <summary>Labels of the created objects.</summary>
    public Dictionary<string, string>? Labels { get; set; }

    /// <summary>Annotations of the created objects.</summary>
    public Dictionary<string, string>? Annotations { get; set; }
}

/// <summary>Status of a <see cref="Gateway"/>.</summary>
public sealed class GatewayStatus : Extensible
{
    /// <summary>Addresses in use.</summary>
    public List<GatewayAddress>? Addresses { get; set; }

    /// <summary>Conditions <c>Accepted</c> and <c>Programmed</c>.</summary>
    public List<Condition>? Conditions { get; set; }

    /// <summary>One entry per listener.</summary>
    public List<ListenerStatus>? Listeners { get; set; }
}

/// <summary>Status of a <see cref="Listener"/>.</summary>
public sealed class ListenerStatus : Extensible
{
    /// <summary>Name of the listener.</summary>
    public string Name { get; set; } = "";

    /// <summary>Route kinds that may attach.</summary>
    public List<RouteGroupKind>? SupportedKinds { get; set; }

    /// <summary>Number of routes attached.</summary>
    public int AttachedRoutes { get; set; }

    /// <summary>Conditions <c>Accepted</c>, <c>Programmed</c>, <c>ResolvedRefs</c>, <c>Conflicted</c>.</summary>
    public List<Condition>? Conditions { get; set; }
}
