using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// Settings for all tenants: one object, named <c>default</c>, in the manager's namespace. Without it the defaults apply.
/// </summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Config : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Config";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "configs";

    /// <summary>Name of the object that is read; objects with other names are ignored.</summary>
    public const string DefaultName = "default";

    /// <summary>An empty object of the right type.</summary>
    public Config()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>The settings.</summary>
    public ConfigSpec? Spec { get; set; }

    /// <summary>The manager's version, and the problems of the settings.</summary>
    public ConfigStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="Config"/>.</summary>
public sealed class ConfigSpec : LayeredSettings
{
    /// <summary>Settings of every tenant's proxies.</summary>
    public ConfigEnvoyProxy? EnvoyProxy { get; set; }

    /// <summary>URL under which tenants reach this API server; absent: the URL that the cluster publishes.</summary>
    public string? ApiServerURL { get; set; }

    /// <summary>Whether a tenant's Role also grants the permissions that the Go CCM needs; true if absent.</summary>
    public bool? GoCompatibility { get; set; }

    /// <summary>
    /// Whether a hostname that overlaps one of another tenant is rejected; false if absent. The tenant that serves it keeps it, else the
    /// one with the older Route.
    /// </summary>
    public bool? ExclusiveHostnames { get; set; }

    /// <summary>Which node addresses of tenants are used.</summary>
    public AddressSettings? Addresses { get; set; }
}

/// <summary>Status of a <see cref="Config"/>.</summary>
public sealed class ConfigStatus : Extensible
{
    /// <summary>The manager's version.</summary>
    public ManagerVersion? Version { get; set; }

    /// <summary>Those of <see cref="SettingsConditions"/> with a problem.</summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>Version of the group <c>kubelb.k8c.io</c>.</summary>
public static class KubelbVersion
{
    /// <summary>The version's name.</summary>
    public const string Name = "v1alpha1";

    /// <summary>Group and version as in an object's <c>apiVersion</c>.</summary>
    public const string ApiVersion = ApiGroups.Kubelb + "/" + Name;
}
