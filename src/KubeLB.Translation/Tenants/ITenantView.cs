using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// What translation may see of a tenant's cluster, and of its Routes in the management cluster: look-ups in a cache, no
/// I/O. Objects returned are not to be changed.
/// </summary>
public interface ITenantView
{
    /// <summary>The time at which the rest is looked up.</summary>
    DateTimeOffset Now { get; }

    /// <summary>A GatewayClass by name.</summary>
    GatewayClass? GatewayClass(string name);

    /// <summary>A Gateway of any class.</summary>
    Gateway? Gateway(string @namespace, string name);

    /// <summary>Labels of a Namespace, null if it does not exist.</summary>
    IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace);

    /// <summary>A Service, node-port twins included.</summary>
    V1Service? Service(string @namespace, string name);

    /// <summary>A Secret; what it holds must not get into any message.</summary>
    V1Secret? Secret(string @namespace, string name);

    /// <summary>The ReferenceGrants of a namespace; none where the kind is not installed.</summary>
    IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace);

    /// <summary>The Route that stands for a tenant's Gateway in the management cluster.</summary>
    Route? GatewayRoute(string @namespace, string name);
}
