using k8s.Models;

namespace KubeLB.Api.GatewayApi;

/// <summary>Permits objects of other namespaces to refer to objects of this one.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant</remarks>
[KubernetesEntity(Group = ApiGroups.GatewayApi, ApiVersion = GatewayApiVersion.V1Beta1, Kind = KindName, PluralName = PluralName)]
public sealed class ReferenceGrant : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "ReferenceGrant";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "referencegrants";

    /// <summary>An empty object of the right type.</summary>
    public ReferenceGrant()
    {
        ApiVersion = ApiGroups.GatewayApi + "/" + GatewayApiVersion.V1Beta1;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public ReferenceGrantSpec? Spec { get; set; }
}

/// <summary>Spec of a <see cref="ReferenceGrant"/>.</summary>
public sealed class ReferenceGrantSpec : Extensible
{
    /// <summary>The objects that may refer; at least one entry.</summary>
    public List<ReferenceGrantFrom>? From { get; set; }

    /// <summary>The objects that may be referred to; at least one entry.</summary>
    public List<ReferenceGrantTo>? To { get; set; }
}

/// <summary>Objects that may refer.</summary>
public sealed class ReferenceGrantFrom : Extensible
{
    /// <summary>API group; empty is core.</summary>
    public string Group { get; set; } = "";

    /// <summary>Kind.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Namespace.</summary>
    public string Namespace { get; set; } = "";
}

/// <summary>Objects that may be referred to.</summary>
public sealed class ReferenceGrantTo : Extensible
{
    /// <summary>API group; empty is core.</summary>
    public string Group { get; set; } = "";

    /// <summary>Kind.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Name; all of the kind if absent.</summary>
    public string? Name { get; set; }
}
