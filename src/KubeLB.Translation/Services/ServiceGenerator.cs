using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Services;

/// <summary>
/// The Services that a Route carries → ClusterIP Services in front of the tenant's proxy. They are built field by field:
/// nothing else of the tenant's specs gets through.
/// </summary>
internal static class ServiceGenerator
{
    public static GeneratedServicePlan Generate(
        Route route,
        RouteOrigin origin,
        RouteService service,
        TenantPolicy policy,
        Func<PortNeed, int> proxyPort,
        IManagementView view
    )
    {
        var (@namespace, serviceName) = SourceServices.OriginOf(service);
        var key = $"{@namespace}/{serviceName}";
        GeneratedService? inStatus = null;
        route.Status?.Resources?.Services?.TryGetValue(key, out inStatus);
        var contractName = GeneratedNames.ForService(@namespace, origin.Name, serviceName);
        var name = GeneratedNameChoice.For(
            route,
            V1Service.KubeKind,
            contractName,
            inStatus?.GeneratedName,
            view,
            (@namespace, Labels.Value(serviceName))
        );

        var annotations = new Dictionary<string, string>(
            policy.Annotations.Apply(AnnotationRules.Service, service.Metadata.Annotations) ?? new Dictionary<string, string>(),
            StringComparer.Ordinal
        )
        {
            [Annotations.NodePorts] = GeneratedNodePorts.Write(service.Spec?.Ports ?? []),
        };
        return new GeneratedServicePlan(
            key,
            @namespace,
            serviceName,
            new V1Service
            {
                ApiVersion = V1Service.KubeApiVersion,
                Kind = V1Service.KubeKind,
                Metadata = GeneratedMetadata.For(route, name, (@namespace, serviceName), service.Metadata.Labels, annotations),
                Spec = new V1ServiceSpec
                {
                    Type = "ClusterIP",
                    Selector = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.AppName] = route.Namespace },
                    Ports =
                    [
                        .. (service.Spec?.Ports ?? []).Select(port => new V1ServicePort
                        {
                            Name = port.Name,
                            Port = port.Port,
                            Protocol = port.Protocol ?? "TCP",
                            AppProtocol = port.AppProtocol,
                            TargetPort = proxyPort(new PortNeed(name, port.Port, port.Protocol ?? "TCP")),
                        }),
                    ],
                },
            }
        );
    }

    /// <summary>What is wrong with the source Service; null if nothing is.</summary>
    public static string? Problem(RouteService service)
    {
        if (service.Metadata is null || service.Name.Length == 0 || service.Namespace.Length == 0)
        {
            return "Every entry of spec.source.kubernetes.services must be a Service with metadata.name and metadata.namespace.";
        }

        var (@namespace, name) = SourceServices.OriginOf(service);
        foreach (var port in service.Spec?.Ports ?? [])
        {
            if (port is null)
            {
                return $"Service {@namespace}/{name}: a port is null; remove it.";
            }

            if (port.Port is < 1 or > 65535 || port.NodePort is not (>= 1 and <= 65535))
            {
                return $"Service {@namespace}/{name}: port {port.Port} with nodePort {port.NodePort?.ToString() ?? "none"} is not usable; both must be 1-65535.";
            }

            if (ProxyPorts.IsReserved(port.NodePort.Value))
            {
                // A host name may be resolved to the proxy's own loopback address, where its administration is.
                return $"Service {@namespace}/{name}: nodePort {port.NodePort} is one that the proxy listens on itself; use another one.";
            }

            if (port.Protocol is not (null or "TCP" or "UDP"))
            {
                return $"Service {@namespace}/{name}: protocol {port.Protocol} is not supported; use TCP or UDP.";
            }
        }

        return null;
    }
}
