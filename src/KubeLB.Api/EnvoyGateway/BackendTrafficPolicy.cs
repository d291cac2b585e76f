using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Api.EnvoyGateway;

/// <summary>How Envoy Gateway's proxies speak to the backends of a Gateway or route.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#backendtrafficpolicy</remarks>
[KubernetesEntity(Group = ApiGroups.EnvoyGateway, ApiVersion = EnvoyGatewayVersion.V1Alpha1, Kind = KindName, PluralName = PluralName)]
public sealed class BackendTrafficPolicy : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "BackendTrafficPolicy";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "backendtrafficpolicies";

    /// <summary>An empty object of the right type.</summary>
    public BackendTrafficPolicy()
    {
        ApiVersion = EnvoyGatewayVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public BackendTrafficPolicySpec? Spec { get; set; }

    /// <summary>Status.</summary>
    public PolicyStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="BackendTrafficPolicy"/>: the part that KubeLB writes.</summary>
public sealed class BackendTrafficPolicySpec : Extensible
{
    /// <summary>What the policy is for; objects of its own namespace.</summary>
    public List<PolicyTargetReference>? TargetRefs { get; set; }

    /// <summary>Retries; none if absent.</summary>
    public RetryPolicy? Retry { get; set; }
}

/// <summary>Reference of a policy to what it is for, in its own namespace.</summary>
public sealed class PolicyTargetReference : Extensible
{
    /// <summary>API group, Gateway API's.</summary>
    public string Group { get; set; } = "";

    /// <summary>Kind, for example HTTPRoute.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Listener or rule; the whole object if absent.</summary>
    public string? SectionName { get; set; }
}

/// <summary>Status of a policy: one entry per ancestor and controller.</summary>
/// <remarks>GEP-713.</remarks>
public sealed class PolicyStatus : Extensible
{
    /// <summary>At most 16 entries.</summary>
    public List<PolicyAncestorStatus>? Ancestors { get; set; }
}

/// <summary>What a controller says of a policy with respect to one ancestor of its target, usually a Gateway.</summary>
public sealed class PolicyAncestorStatus : Extensible
{
    /// <summary>The ancestor.</summary>
    public ParentReference AncestorRef { get; set; } = new();

    /// <summary>The controller that wrote the entry.</summary>
    public string ControllerName { get; set; } = "";

    /// <summary>Conditions, <c>Accepted</c> among them.</summary>
    public List<Condition> Conditions { get; set; } = [];
}
