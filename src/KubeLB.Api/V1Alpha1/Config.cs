using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>Settings for all tenants. One, named <c>default</c>, in the manager's namespace; absent means defaults.</summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Config : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Config";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "configs";

    /// <summary>Name of the only object that is read.</summary>
    public const string DefaultName = "default";

    /// <summary>An empty object of the right type.</summary>
    public Config()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>The settings.</summary>
    public ConfigSpec? Spec { get; set; }
}

/// <summary>Spec of a <see cref="Config"/>.</summary>
public sealed class ConfigSpec : PropagationSettings
{
    /// <summary>Gateway API settings.</summary>
    public GatewayApiSettings? GatewayAPI { get; set; }

    /// <summary>Settings of every tenant's proxies.</summary>
    public ConfigEnvoyProxy? EnvoyProxy { get; set; }

    /// <summary>URL under which tenants reach this API server; absent: what the cluster says of itself.</summary>
    public string? ApiServerURL { get; set; }

    /// <summary>Which node addresses of tenants are used.</summary>
    public AddressSettings? Addresses { get; set; }
}

/// <summary>Which of a tenant's annotations reach the generated objects.</summary>
public abstract class PropagationSettings : Extensible
{
    /// <summary>Allowed annotation keys (globs) with comma-separated allowed values; an empty value allows any.</summary>
    public Dictionary<string, string>? PropagatedAnnotations { get; set; }

    /// <summary>Let every annotation through that is not denied.</summary>
    public bool? PropagateAllAnnotations { get; set; }

    /// <summary>Annotation keys (globs) that never get through.</summary>
    public List<string>? DeniedAnnotations { get; set; }

    /// <summary>Annotations added per resource kind (or <c>all</c>), never overriding.</summary>
    public Dictionary<string, Dictionary<string, string>>? DefaultAnnotations { get; set; }
}

/// <summary>Gateway API settings of a Config or Tenant.</summary>
public sealed class GatewayApiSettings : Extensible
{
    /// <summary>GatewayClass of generated Gateways; <see cref="DefaultClass"/> if absent on Tenant and Config.</summary>
    public string? Class { get; set; }

    /// <summary>Switches Gateway API off.</summary>
    public bool? Disable { get; set; }

    /// <summary>The Gateway used for tenants of the Ingress path; not read by Gateway API routes.</summary>
    public ObjectReference? DefaultGateway { get; set; }

    /// <summary>Class used when neither the Tenant nor the Config names one: Envoy Gateway's usual <c>eg</c>.</summary>
    public const string DefaultClass = "eg";
}

/// <summary>Settings of every tenant's proxies.</summary>
public sealed class ConfigEnvoyProxy : Extensible
{
    /// <summary><c>shared</c>, one workload per tenant.</summary>
    public string? Topology { get; set; }

    /// <summary>A DaemonSet instead of a Deployment.</summary>
    public bool? UseDaemonset { get; set; }

    /// <summary>Number of proxy pods of a Deployment, 3 if absent.</summary>
    public int? Replicas { get; set; }

    /// <summary>At most one proxy pod of a tenant per node.</summary>
    public bool? SinglePodPerNode { get; set; }

    /// <summary>Nodes that the proxies may run on.</summary>
    public Dictionary<string, string>? NodeSelector { get; set; }

    /// <summary>Compute resources of a proxy pod.</summary>
    public V1ResourceRequirements? Resources { get; set; }
}
