using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Translates a tenant's Gateway to the Gateway for Envoy Gateway.</summary>
internal static class GatewayGenerator
{
    // Envoy Gateway needs one listener to keep the Gateway and its address. No namespace has this label with two values.
    private static readonly RouteNamespaces NoNamespace = new()
    {
        From = "Selector",
        Selector = new V1LabelSelector
        {
            MatchExpressions =
            [
                new V1LabelSelectorRequirement { Key = NamespaceName, OperatorProperty = "DoesNotExist" },
                new V1LabelSelectorRequirement { Key = NamespaceName, OperatorProperty = "Exists" },
            ],
        },
    };

    private const string NamespaceName = "kubernetes.io/metadata.name";

    /// <summary>Whether a listener of a generated Gateway is one to which routes can be attached.</summary>
    public static bool IsServed(Listener generated) => generated.AllowedRoutes?.Namespaces?.From != NoNamespace.From;

    /// <summary>
    /// Whether a Gateway may request an address. Envoy Gateway makes it an address of a Service, to which each node then sends traffic.
    /// </summary>
    public static bool IsPermitted(GatewayAddress? address, TenantPolicy policy) =>
        address is { Type: null or "IPAddress", Value: { } value }
        && AddressText.Parse(value) is { } parsed
        && !AddressText.IsIPv4MappedOrCompatible(parsed)
        && policy.GatewayAddresses.Contains(parsed);

    /// <param name="route">The Route.</param>
    /// <param name="sourceObject">Its object.</param>
    /// <param name="source">The tenant's Gateway.</param>
    /// <param name="unservedListeners">The indexes of listeners that are not served.</param>
    /// <param name="policy">The administrator's settings for the tenant.</param>
    /// <param name="view">The tenant's namespace.</param>
    public static Gateway Generate(
        Route route,
        SourceObject sourceObject,
        Gateway source,
        IReadOnlySet<int> unservedListeners,
        TenantPolicy policy,
        IManagementView view
    )
    {
        var origin = sourceObject.Origin;
        var spec = ApiJson.Copy(source.Spec ?? new GatewaySpec());
        spec.GatewayClassName = policy.GatewayClass;
        spec.Addresses = spec.Addresses?.Where(address => IsPermitted(address, policy)).ToList() is { Count: > 0 } permitted
            ? permitted
            : null;
        var listeners = spec.Listeners ?? [];
        var unserved = listeners.Where((_, i) => unservedListeners.Contains(i)).ToList();
        if (unserved.Count < listeners.Count)
        {
            listeners.RemoveAll(unserved.Contains);
        }

        foreach (var listener in listeners)
        {
            // The CCM evaluated the namespaces; in the management cluster all objects of a tenant share one.
            listener.AllowedRoutes ??= new AllowedRoutes();
            listener.AllowedRoutes.Namespaces = unserved.Contains(listener) ? NoNamespace : new RouteNamespaces { From = "Same" };
            foreach (var certificate in listener.Tls?.CertificateRefs ?? [])
            {
                var @namespace = certificate.Namespace ?? origin.Namespace;
                certificate.Name =
                    (ListenerCertificates.IsSecret(certificate) ? view.CertificateSecret(@namespace, certificate.Name) : null)
                    ?? UnresolvedNames.For(@namespace, certificate.Name);
                certificate.Namespace = null;
            }
        }

        var contractName = GeneratedNames.ForRoute(origin.Namespace, origin.Name);
        var name = GeneratedNameChoice.Choose(route, Gateway.KindName, contractName, route.Status?.Resources?.Route?.GeneratedName, view);
        return new Gateway
        {
            Metadata = GeneratedMetadata.Build(
                route,
                name,
                origin,
                policy.Labels.Apply(source.Metadata.Labels),
                policy.Annotations.Apply(Gateway.KindName, source.Metadata.Annotations)
            ),
            Spec = spec,
        };
    }
}
