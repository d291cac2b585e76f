using System.Globalization;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Translates the source Services of a Route to ClusterIP Services in front of the tenant's proxy. They are built field by field: other
/// fields of the tenant's specs are not copied.
/// </summary>
internal static class ServiceGenerator
{
    public static GeneratedServicePlan Generate(
        Route route,
        RouteOrigin origin,
        RouteService service,
        IReadOnlyList<RouteServicePort> ports,
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
        var name = GeneratedNameChoice.Choose(
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
            [Annotations.NodePorts] = GeneratedNodePorts.Write(ports),
        };
        return new GeneratedServicePlan(
            key,
            @namespace,
            serviceName,
            new V1Service
            {
                ApiVersion = V1Service.KubeApiVersion,
                Kind = V1Service.KubeKind,
                Metadata = GeneratedMetadata.Build(
                    route,
                    name,
                    (@namespace, serviceName),
                    policy.Labels.Apply(service.Metadata.Labels),
                    annotations
                ),
                Spec = new V1ServiceSpec
                {
                    Type = "ClusterIP",
                    Selector = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.AppName] = route.Namespace },
                    Ports =
                    [
                        .. ports.Select(port => new V1ServicePort
                        {
                            Name = port.Name,
                            Port = port.Port,
                            Protocol = "TCP",
                            AppProtocol = port.AppProtocol,
                            TargetPort = proxyPort(new PortNeed(name, port.Port, "TCP")),
                        }),
                    ],
                },
            }
        );
    }

    /// <summary>
    /// The ports of the generated Service. Envoy Gateway uses the first port of a number, regardless of its protocol, so UDP ports are
    /// omitted; so are ports that the route does not use and whose node port is not permitted. Other unused ports are kept, because Envoy
    /// Gateway may still send requests to them when the route has just changed.
    /// </summary>
    /// <param name="service">The source Service.</param>
    /// <param name="used">The same Service with the ports that the route uses.</param>
    /// <param name="policy">The administrator's settings for the tenant.</param>
    public static IReadOnlyList<RouteServicePort> Ports(RouteService service, RouteService used, TenantPolicy policy)
    {
        var kept = used.Spec!.Ports!.ToHashSet<RouteServicePort>(ReferenceEqualityComparer.Instance);
        return
        [
            .. (service.Spec?.Ports ?? [])
                .Where(SourceServices.IsTcp)
                .Where(port => kept.Contains(port) || (port.NodePort is { } nodePort && policy.NodePorts.Contains(nodePort))),
        ];
    }

    /// <summary>Why the source Service is rejected; null if it is valid.</summary>
    public static string? Problem(RouteService service)
    {
        if (service.Metadata is null || service.Name.Length == 0 || service.Namespace.Length == 0)
        {
            return BackendMessages.InvalidSourceService;
        }

        var (@namespace, name) = SourceServices.OriginOf(service);
        if (@namespace.Contains('/', StringComparison.Ordinal) || name.Contains('/', StringComparison.Ordinal))
        {
            // Two Services could have one key.
            return BackendMessages.InvalidSourceService;
        }

        var key = $"{@namespace}/{name}";
        foreach (var port in service.Spec?.Ports ?? [])
        {
            if (port is null)
            {
                return BackendMessages.PortIsNull(key);
            }

            if (port.Port is < 1 or > 65535 || port.NodePort is not (>= 1 and <= 65535))
            {
                return BackendMessages.InvalidPort(key, port.Port, port.NodePort?.ToString() ?? "none");
            }

            if (ProxyPorts.IsReserved(port.NodePort.Value))
            {
                // A hostname may resolve to the proxy's loopback address, where Envoy's admin interface listens.
                return BackendMessages.ReservedNodePort(key, port.NodePort.Value);
            }

            if (port.Protocol is not (null or "TCP" or "UDP"))
            {
                return BackendMessages.UnsupportedSourceProtocol(key, port.Protocol);
            }
        }

        return null;
    }
}

/// <summary>A Service to generate.</summary>
/// <param name="Key"><c>namespace/name</c> of the tenant's Service, its key in the Route's status.</param>
/// <param name="OriginNamespace">Namespace of the tenant's Service.</param>
/// <param name="OriginName">Name of the tenant's Service.</param>
/// <param name="Service">The desired Service.</param>
public sealed record GeneratedServicePlan(string Key, string OriginNamespace, string OriginName, V1Service Service);

/// <summary>A port of a generated Service that is mapped to a port of the tenant's proxy.</summary>
/// <param name="Service">Name of the generated Service.</param>
/// <param name="Port">The Service's port.</param>
/// <param name="Protocol">TCP or UDP.</param>
public readonly record struct PortNeed(string Service, int Port, string Protocol);

/// <summary>
/// The node ports behind a generated Service, stored in one of its annotations. They are needed to drain a Service that its Route no longer
/// refers to until Envoy Gateway has updated its route, even after a restart of the manager. Format: <c>80/TCP=30080,443/TCP=30443</c>.
/// </summary>
public static class GeneratedNodePorts
{
    /// <summary>The annotation's value for the ports of a tenant's Service.</summary>
    public static string Write(IEnumerable<RouteServicePort> ports) =>
        string.Join(
            ',',
            ports
                .Where(p => p.NodePort is not null)
                .Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Port}/{p.Protocol ?? "TCP"}={p.NodePort}"))
        );

    /// <summary>Node ports by the Service's port and protocol; empty for a Service without the annotation.</summary>
    public static IReadOnlyDictionary<(int Port, string Protocol), int> Read(V1Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        var nodePorts = new Dictionary<(int, string), int>();
        var text = service.Metadata.Annotations?.TryGetValue(Annotations.NodePorts, out var value) == true ? value : "";
        foreach (var entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (
                entry.Split('/', '=') is [var port, var protocol, var nodePort]
                && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && int.TryParse(nodePort, NumberStyles.None, CultureInfo.InvariantCulture, out var target)
                && target is >= 1 and <= 65535
                && !ProxyPorts.IsReserved(target)
            )
            {
                nodePorts.TryAdd((number, protocol), target);
            }
        }

        return nodePorts;
    }
}
