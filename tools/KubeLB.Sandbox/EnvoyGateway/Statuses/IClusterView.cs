using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Whether a Secret is a valid TLS certificate.</summary>
internal enum TlsSecret
{
    /// <summary>The Secret does not exist.</summary>
    Missing,

    /// <summary>The certificate or key is missing.</summary>
    Invalid,

    /// <summary>The Secret has a certificate and a key.</summary>
    Valid,
}

/// <summary>Cluster objects that evaluators read.</summary>
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
    /// <summary>Whether a ReferenceGrant permits a reference to another namespace.</summary>
    public static bool Permit(IClusterView view, string fromKind, string fromNamespace, string toKind, string toNamespace, string toName) =>
        fromNamespace == toNamespace
        || view.Grants(toNamespace)
            .Any(grant =>
                grant.Spec?.From?.Any(f => f.Group == Api.ApiGroups.GatewayApi && f.Kind == fromKind && f.Namespace == fromNamespace)
                    == true
                && grant.Spec.To?.Any(t => t.Group.Length == 0 && t.Kind == toKind && (t.Name is null || t.Name == toName)) == true
            );
}

/// <summary>Evaluates label selectors.</summary>
internal static class LabelSelectors
{
    /// <summary>Whether labels match a selector; an empty selector matches everything.</summary>
    public static bool Matches(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels ?? new Dictionary<string, string>()).All(desired =>
            labels.TryGetValue(desired.Key, out var value) && value == desired.Value
        ) && (selector.MatchExpressions ?? []).All(expression => Matches(expression, labels));

    private static bool Matches(V1LabelSelectorRequirement expression, IDictionary<string, string> labels)
    {
        var present = labels.TryGetValue(expression.Key, out var value);
        return expression.OperatorProperty switch
        {
            "In" => present && expression.Values.Contains(value!),
            "NotIn" => !present || !expression.Values.Contains(value!),
            "Exists" => present,
            "DoesNotExist" => !present,
            _ => false,
        };
    }
}
