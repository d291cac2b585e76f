using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Whether a Secret can serve as a TLS certificate.</summary>
internal enum TlsSecret
{
    /// <summary>There is no such Secret.</summary>
    Missing,

    /// <summary>It lacks a certificate or key.</summary>
    Invalid,

    /// <summary>It holds a certificate and its key.</summary>
    Valid,
}

/// <summary>What the verdicts on Gateways and routes look up.</summary>
internal interface IClusterView
{
    /// <summary>State of a Secret.</summary>
    TlsSecret Secret(string ns, string name);

    /// <summary>A Service; null if it does not exist.</summary>
    V1Service? Service(string ns, string name);

    /// <summary>Whether a Service has ready endpoints.</summary>
    bool HasEndpoints(string ns, string name);

    /// <summary>Labels of a namespace.</summary>
    IDictionary<string, string> NamespaceLabels(string ns);

    /// <summary>ReferenceGrants of a namespace.</summary>
    IEnumerable<ReferenceGrant> Grants(string ns);
}

/// <summary>Evaluates ReferenceGrants.</summary>
internal static class Grants
{
    /// <summary>Whether an object of one namespace may refer to one of another.</summary>
    public static bool Permit(IClusterView view, string fromKind, string fromNamespace, string toKind, string toNamespace, string toName) =>
        fromNamespace == toNamespace
        || view.Grants(toNamespace)
            .Any(grant =>
                grant.Spec?.From?.Any(f => f.Group == Api.ApiGroups.GatewayApi && f.Kind == fromKind && f.Namespace == fromNamespace)
                    == true
                && grant.Spec.To?.Any(t => t.Group.Length == 0 && t.Kind == toKind && (t.Name is null || t.Name == toName)) == true
            );
}
