using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>The manager's version and the features that are disabled for a tenant, for its CCM. Named <c>default</c>.</summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class TenantState : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "TenantState";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "tenantstates";

    /// <summary>Name of the only object per tenant.</summary>
    public const string DefaultName = "default";

    /// <summary>An empty object of the right type.</summary>
    public TenantState()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Empty, as in the contract.</summary>
    public TenantStateSpec? Spec { get; set; }

    /// <summary>Version and disabled features.</summary>
    public TenantStateStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="TenantState"/>; has no fields.</summary>
public sealed class TenantStateSpec : Extensible;

/// <summary>Status of a <see cref="TenantState"/>.</summary>
public sealed class TenantStateStatus : Extensible
{
    /// <summary>The manager's version.</summary>
    public ManagerVersion? Version { get; set; }

    /// <summary>When the content last changed, RFC 3339 in UTC.</summary>
    public string? LastUpdated { get; set; }

    /// <summary>State of layer 4 load balancing.</summary>
    public FeatureState? LoadBalancer { get; set; }

    /// <summary>State of Gateway API.</summary>
    public GatewayApiState? GatewayAPI { get; set; }

    /// <summary>Conditions.</summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>The manager's version.</summary>
public sealed class ManagerVersion : Extensible
{
    /// <summary>Version, for example <c>v1.4.0</c>.</summary>
    public string? GitVersion { get; set; }

    /// <summary>Commit.</summary>
    public string? GitCommit { get; set; }

    /// <summary>Date of the build.</summary>
    public string? BuildDate { get; set; }

    /// <summary><c>CE</c>, the Community Edition.</summary>
    public string? Edition { get; set; }
}

/// <summary>Whether a feature is disabled for a tenant.</summary>
public class FeatureState : Extensible
{
    /// <summary>True if it is disabled.</summary>
    public bool? Disable { get; set; }
}

/// <summary>Which parts of Gateway API are disabled for a tenant.</summary>
public sealed class GatewayApiState : FeatureState
{
    /// <summary>True if HTTPRoutes are disabled.</summary>
    public bool? DisableHTTPRoute { get; set; }

    /// <summary>True if GRPCRoutes are disabled.</summary>
    public bool? DisableGRPCRoute { get; set; }
}
