using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Translates a tenant's Gateway to the Gateway for Envoy Gateway.</summary>
internal static class GatewayGenerator
{
    public static Gateway Generate(Route route, RouteOrigin origin, Gateway source, TenantPolicy policy, IManagementView view)
    {
        var spec = ApiJson.Copy(source.Spec ?? new GatewaySpec());
        spec.GatewayClassName = policy.GatewayClass;

        // Infrastructure settings of a tenant would change what Envoy Gateway deploys in the management cluster.
        spec.Infrastructure = null;
        foreach (var listener in spec.Listeners ?? [])
        {
            // The CCM evaluated the namespaces; in the management cluster all objects of a tenant share one.
            listener.AllowedRoutes ??= new AllowedRoutes();
            listener.AllowedRoutes.Namespaces = new RouteNamespaces { From = "Same" };
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
                source.Metadata.Labels,
                policy.Annotations.Apply(Gateway.KindName, source.Metadata.Annotations)
            ),
            Spec = spec,
        };
    }
}
