using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>The new allocations of one write of a Service.</summary>
internal sealed class ServiceReservation(ServiceAddresses addresses) : IReservation
{
    private readonly List<string> _addresses = [];
    private readonly List<long> _ports = [];

    public void Take(JsonObject spec, JsonObject? oldSpec, List<FieldError> errors)
    {
        var type = spec.Text("type");
        if (type is not "ExternalName")
        {
            TakeAddress(spec, oldSpec, errors);
        }
        if (type is "NodePort" || (type is "LoadBalancer" && spec.Boolean("allocateLoadBalancerNodePorts") != false))
        {
            TakePorts(spec, oldSpec, errors, allocate: true);
        }
        else if (type is "LoadBalancer")
        {
            TakePorts(spec, oldSpec, errors, allocate: false);
        }
        if (type is "LoadBalancer" && spec.Text("externalTrafficPolicy") == "Local" && (spec.Integer("healthCheckNodePort") ?? 0) == 0)
        {
            spec["healthCheckNodePort"] = oldSpec.Integer("healthCheckNodePort") is > 0 and var kept ? kept : NewPort();
        }
    }

    public void Release() => addresses.Free(_addresses, _ports);

    /// <summary>All cluster IPs of a Service.</summary>
    public static IEnumerable<string> AddressesOf(JsonObject? spec) =>
        spec.Array("clusterIPs").Strings().Where(address => address.Length > 0 && address != "None");

    /// <summary>All node ports of a Service.</summary>
    public static IEnumerable<long> PortsOf(JsonObject? spec)
    {
        var ports = spec.Array("ports").Objects().Select(port => port.Integer("nodePort") ?? 0);
        return ports.Append(spec.Integer("healthCheckNodePort") ?? 0).Where(port => port > 0);
    }

    private void TakeAddress(JsonObject spec, JsonObject? oldSpec, List<FieldError> errors)
    {
        var desired = spec.Text("clusterIP") ?? "";
        if (desired == "None")
        {
            spec["clusterIPs"] = new JsonArray("None");
            return;
        }
        if (desired.Length == 0)
        {
            if (addresses.TakeAddress() is not { } address)
            {
                errors.Add(FieldError.Invalid("spec.clusterIPs", new JsonArray(), "failed to allocate IP: range is full"));
                return;
            }
            _addresses.Add(address);
            desired = address;
        }
        else if (!AddressesOf(oldSpec).Contains(desired))
        {
            if (!addresses.Contains(desired))
            {
                errors.Add(
                    FieldError.Invalid(
                        "spec.clusterIPs",
                        new JsonArray(desired),
                        $"failed to allocate IP {desired}: the provided network does not contain the address"
                    )
                );
                return;
            }
            if (!addresses.TryTakeAddress(desired))
            {
                errors.Add(
                    FieldError.Invalid(
                        "spec.clusterIPs",
                        new JsonArray(desired),
                        $"failed to allocate IP {desired}: provided IP is already allocated"
                    )
                );
                return;
            }
            _addresses.Add(desired);
        }
        spec["clusterIP"] = desired;
        spec["clusterIPs"] = new JsonArray(desired);
    }

    private void TakePorts(JsonObject spec, JsonObject? oldSpec, List<FieldError> errors, bool allocate)
    {
        var held = PortsOf(oldSpec).ToHashSet();
        // TCP and UDP ports of a Service may share a node port.
        var own = new HashSet<(long, string)>();
        var index = 0;
        foreach (var port in spec.Array("ports").Objects())
        {
            var path = $"spec.ports[{index++}].nodePort";
            var desired = port.Integer("nodePort") ?? 0;
            var protocol = port.Text("protocol") ?? "TCP";
            if (desired == 0)
            {
                if (allocate)
                {
                    port["nodePort"] = NewPort();
                }
                continue;
            }
            if (!own.Add((desired, protocol)))
            {
                errors.Add(FieldError.Duplicate(path, desired));
            }
            else if (held.Contains(desired) || _ports.Contains(desired))
            {
                continue;
            }
            else if (desired < addresses.FirstPort || desired > addresses.LastPort)
            {
                errors.Add(
                    FieldError.Invalid(
                        path,
                        desired,
                        $"provided port is not in the valid range. The range of valid ports is {addresses.FirstPort}-{addresses.LastPort}"
                    )
                );
            }
            else if (!addresses.TryTakePort(desired))
            {
                errors.Add(FieldError.Invalid(path, desired, "provided port is already allocated"));
            }
            else
            {
                _ports.Add(desired);
            }
        }
    }

    private long NewPort()
    {
        var port = addresses.TakePort() ?? throw ApiErrors.Internal("failed to allocate a nodePort: range is full");
        _ports.Add(port);
        return port;
    }
}
