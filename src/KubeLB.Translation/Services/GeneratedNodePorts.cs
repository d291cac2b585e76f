using System.Globalization;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Services;

/// <summary>
/// The node ports behind a generated Service, which it carries in an annotation: a Service that its Route no longer refers to is served
/// until Envoy Gateway has followed, also by a manager that started in between. Format: <c>80/TCP=30080,443/TCP=30443</c>.
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

    /// <summary>Node ports by the Service's port and protocol; none of a Service without the annotation.</summary>
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
