using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Services: defaults, allocation of cluster IPs and node ports, validation of type changes.</summary>
internal sealed class ServiceStrategy(ServiceAddresses addresses) : ResourceStrategy
{
    private static readonly string[] Types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];

    public override IReadOnlyList<string> ValidateName(string name) => Names.Label1035(name);

    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };

    public override void PrepareForUpdate(JsonObject tree, JsonObject old)
    {
        var spec = tree.Ensure("spec");
        if (old.Object("spec") is not { } before)
        {
            return;
        }
        RemoveUnusedFields(spec, before);
        if (NeedsAddress(before) && NeedsAddress(spec))
        {
            spec.Default("clusterIP", before.Text("clusterIP") ?? "");
            if (spec.Text("clusterIP")!.Length == 0)
            {
                spec["clusterIP"] = before.Text("clusterIP");
            }
            if (spec["clusterIPs"] is null)
            {
                spec["clusterIPs"] = new JsonArray(spec.Text("clusterIP"));
            }
        }
        if (NeedsPorts(before) && NeedsPorts(spec))
        {
            KeepNodePorts(spec, before);
        }
    }

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        spec.Default("sessionAffinity", "None");
        spec.Default("type", "ClusterIP");
        if (spec.Text("sessionAffinity") == "ClientIP" && spec["sessionAffinityConfig"] is null)
        {
            spec["sessionAffinityConfig"] = new JsonObject { ["clientIP"] = new JsonObject { ["timeoutSeconds"] = 10800 } };
        }
        foreach (var port in spec.Array("ports").Objects())
        {
            port.Default("protocol", "TCP");
            if (port["targetPort"] is null || port["targetPort"].AsInteger() == 0 || port["targetPort"].AsText() == "")
            {
                port["targetPort"] = port.Integer("port") ?? 0;
            }
        }
        var type = spec.Text("type");
        if (type != "ExternalName")
        {
            spec.Default("internalTrafficPolicy", "Cluster");
            spec.Default("ipFamilies", new JsonArray("IPv4"));
            spec.Default("ipFamilyPolicy", "SingleStack");
        }
        if (type is "NodePort" or "LoadBalancer")
        {
            spec.Default("externalTrafficPolicy", "Cluster");
        }
        if (type == "LoadBalancer")
        {
            spec.Default("allocateLoadBalancerNodePorts", true);
            foreach (
                var ingress in tree.Object("status")
                    .Object("loadBalancer")
                    .Array("ingress")
                    .Objects()
                    .Where(ingress => ingress["ip"] is not null)
            )
            {
                ingress.Default("ipMode", "VIP");
            }
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree.Ensure("spec");
        var type = spec.Text("type")!;
        var ports = spec.Array("ports").Objects().ToList();
        var headless = spec.Text("clusterIP") == "None";
        if (ports.Count == 0 && !headless && type != "ExternalName")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }
        if (!Types.Contains(type))
        {
            errors.Add(FieldError.NotSupported("spec.type", type, Types));
        }
        if (headless && type is "NodePort" or "LoadBalancer" && headless)
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", "None", $"may not be set to 'None' for {type} services"));
        }
        if (type == "ExternalName")
        {
            ValidateExternalName(spec, errors);
        }
        ValidatePorts(ports, errors);
        MetadataValidation.Labels(spec.Object("selector"), "spec.selector", errors);
        if (spec.Text("sessionAffinity") is { } affinity and not ("None" or "ClientIP"))
        {
            errors.Add(FieldError.NotSupported("spec.sessionAffinity", affinity, "ClientIP", "None"));
        }
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        var before = old.Object("spec");
        var spec = tree.Object("spec");
        var was = before.Text("clusterIP") ?? "";
        if (spec.Text("type") != "ExternalName" && before.Text("type") != "ExternalName" && was.Length > 0 && spec.Text("clusterIP") != was)
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", new JsonArray(spec.Text("clusterIP")), "may not change once set"));
        }
    }

    public override IReservation? Allocate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var reservation = new ServiceReservation(addresses);
        reservation.Take(tree.Object("spec")!, old.Object("spec"), errors);
        return reservation;
    }

    private static bool NeedsAddress(JsonObject spec) => spec.Text("type") is not "ExternalName";

    private static bool NeedsPorts(JsonObject spec) => spec.Text("type") is "NodePort" or "LoadBalancer";

    private static void ValidateExternalName(JsonObject spec, List<FieldError> errors)
    {
        var target = spec.Text("externalName") ?? "";
        if (target.Length == 0)
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }
        else
        {
            errors.AddRange(
                Names
                    .Subdomain(target.TrimEnd('.').ToLowerInvariant())
                    .Select(problem => FieldError.Invalid("spec.externalName", target, problem))
            );
        }
        if (spec.Text("clusterIP") is { Length: > 0 } address)
        {
            errors.Add(FieldError.Forbidden("spec.clusterIPs[0]", "may not be set for ExternalName services"));
            _ = address;
        }
    }

    private static void ValidatePorts(List<JsonObject> ports, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var pairs = new HashSet<(long, string)>();
        for (var i = 0; i < ports.Count; i++)
        {
            var path = $"spec.ports[{i}]";
            var port = ports[i];
            var name = port.Text("name") ?? "";
            if (name.Length == 0)
            {
                if (ports.Count > 1)
                {
                    errors.Add(FieldError.Required($"{path}.name"));
                }
            }
            else
            {
                errors.AddRange(Names.Label1123(name).Select(problem => FieldError.Invalid($"{path}.name", name, problem)));
                if (!names.Add(name))
                {
                    errors.Add(FieldError.Duplicate($"{path}.name", name));
                }
            }
            var number = port.Integer("port") ?? 0;
            InRange(number, $"{path}.port", errors);
            var protocol = port.Text("protocol") ?? "TCP";
            if (!Protocols.Contains(protocol))
            {
                errors.Add(FieldError.NotSupported($"{path}.protocol", protocol, Protocols));
            }
            if (port["targetPort"].AsInteger() is { } target)
            {
                InRange(target, $"{path}.targetPort", errors);
            }
            if (number > 0 && !pairs.Add((number, protocol)))
            {
                errors.Add(FieldError.Duplicate(path, new JsonObject { ["protocol"] = protocol, ["port"] = number }));
            }
        }
    }

    private static void InRange(long port, string path, List<FieldError> errors)
    {
        if (port is < 1 or > 65535)
        {
            errors.Add(FieldError.Invalid(path, port, "must be between 1 and 65535, inclusive"));
        }
    }

    private static void KeepNodePorts(JsonObject spec, JsonObject before)
    {
        var given = spec.Array("ports").Objects().Select(port => port.Integer("nodePort") ?? 0).ToHashSet();
        var byName = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var port in before.Array("ports").Objects())
        {
            byName[port.Text("name") ?? ""] = port.Integer("nodePort") ?? 0;
        }
        foreach (var port in spec.Array("ports").Objects().Where(port => (port.Integer("nodePort") ?? 0) == 0))
        {
            if (byName.TryGetValue(port.Text("name") ?? "", out var known) && known > 0 && given.Add(known))
            {
                port["nodePort"] = known;
            }
        }
    }

    private static void RemoveUnusedFields(JsonObject spec, JsonObject before)
    {
        if (NeedsPorts(before) && !NeedsPorts(spec))
        {
            foreach (var port in spec.Array("ports").Objects())
            {
                port.Remove("nodePort");
            }
            spec.Remove("externalTrafficPolicy");
        }
        if (before.Text("type") == "LoadBalancer" && spec.Text("type") != "LoadBalancer")
        {
            foreach (var name in new[] { "allocateLoadBalancerNodePorts", "healthCheckNodePort", "loadBalancerClass" })
            {
                spec.Remove(name);
            }
        }
        if (NeedsAddress(before) && !NeedsAddress(spec))
        {
            foreach (var name in new[] { "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy" })
            {
                spec.Remove(name);
            }
        }
    }
}
