using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>The columns of the core, discovery, coordination and RBAC kinds (kubernetes <c>pkg/printers/internalversion</c>).</summary>
internal static class CoreTables
{
    public static ITableFormat Namespaces { get; } =
        new TableFormat().Name().Text("Status", tree => tree.Object("status").Text("phase") ?? "").Age();

    public static ITableFormat Secrets { get; } =
        new TableFormat()
            .Name()
            .Text("Type", tree => tree.Text("type") ?? "")
            .Column("Data", (tree, _) => tree.Object("data")?.Count ?? 0)
            .Age();

    public static ITableFormat ConfigMaps { get; } =
        new TableFormat()
            .Name()
            .Column("Data", (tree, _) => (tree.Object("data")?.Count ?? 0) + (tree.Object("binaryData")?.Count ?? 0))
            .Age();

    public static ITableFormat ServiceAccounts { get; } =
        new TableFormat().Name().Column("Secrets", (tree, _) => tree.Array("secrets")?.Count ?? 0).Age();

    public static ITableFormat Services { get; } =
        new TableFormat()
            .Name()
            .Text("Type", tree => tree.Object("spec").Text("type"))
            .Text("Cluster-IP", tree => tree.Object("spec").Text("clusterIP") is { Length: > 0 } address ? address : null)
            .Text("External-IP", ExternalAddress)
            .Text("Port(s)", Ports)
            .Age()
            .Text("Selector", tree => Labels(tree.Object("spec").Object("selector")), 1);

    public static ITableFormat Nodes { get; } =
        new TableFormat()
            .Name()
            .Text("Status", NodeStatus)
            .Text("Roles", NodeRoles)
            .Age()
            .Text("Version", tree => tree.Object("status").Object("nodeInfo").Text("kubeletVersion") ?? "")
            .Text("Internal-IP", tree => NodeAddress(tree, "InternalIP"), 1)
            .Text("External-IP", tree => NodeAddress(tree, "ExternalIP"), 1)
            .Text("OS-Image", tree => tree.Object("status").Object("nodeInfo").Text("osImage") ?? "<unknown>", 1)
            .Text("Kernel-Version", tree => tree.Object("status").Object("nodeInfo").Text("kernelVersion") ?? "<unknown>", 1)
            .Text("Container-Runtime", tree => tree.Object("status").Object("nodeInfo").Text("containerRuntimeVersion") ?? "<unknown>", 1);

    public static ITableFormat Events { get; } =
        new TableFormat()
            .Column("Last Seen", (tree, now) => Durations.Since(LastSeen(tree), now))
            .Text("Type", tree => tree.Text("type") ?? "")
            .Text("Reason", tree => tree.Text("reason") ?? "")
            .Text("Object", tree => ObjectOf(tree))
            .Text("Subobject", tree => tree.Object("involvedObject").Text("fieldPath") ?? "", 1)
            .Text("Source", Source, 1)
            .Text("Message", tree => (tree.Text("message") ?? "").Trim())
            .Column("First Seen", (tree, now) => Durations.Since(tree.Text("firstTimestamp") ?? tree.Text("eventTime"), now), priority: 1)
            .Column("Count", (tree, _) => tree.Object("series").Integer("count") ?? tree.Integer("count") ?? 1, priority: 1)
            .Column("Name", (tree, _) => tree.Object("metadata").Text("name"), priority: 1, format: "name");

    public static ITableFormat Endpoints { get; } = new TableFormat().Name().Text("Endpoints", EndpointList).Age();

    public static ITableFormat EndpointSlices { get; } =
        new TableFormat()
            .Name()
            .Text("AddressType", tree => tree.Text("addressType"))
            .Text(
                "Ports",
                tree => Shorten(tree.Array("ports").Objects().Select(port => port.Integer("port")?.ToString() ?? "*"), "<unset>")
            )
            .Text(
                "Endpoints",
                tree => Shorten(tree.Array("endpoints").Objects().SelectMany(endpoint => endpoint.Array("addresses").Strings()), "<unset>")
            )
            .Age();

    public static ITableFormat Leases { get; } =
        new TableFormat().Name().Text("Holder", tree => tree.Object("spec").Text("holderIdentity") ?? "").Age();

    public static ITableFormat Bindings { get; } =
        new TableFormat()
            .Name()
            .Text("Role", tree => $"{tree.Object("roleRef").Text("kind")}/{tree.Object("roleRef").Text("name")}")
            .Age()
            .Text("Users", tree => Subjects(tree, "User"), 1)
            .Text("Groups", tree => Subjects(tree, "Group"), 1)
            .Text("ServiceAccounts", tree => Subjects(tree, "ServiceAccount"), 1);

    public static string Labels(JsonObject? labels) =>
        labels is null or { Count: 0 }
            ? "<none>"
            : string.Join(
                ",",
                labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value.AsText()}")
            );

    private static string ExternalAddress(JsonObject tree)
    {
        var spec = tree.Object("spec");
        var external = spec.Array("externalIPs").Strings().ToList();
        switch (spec.Text("type"))
        {
            case "LoadBalancer":
                var ingress = tree.Object("status")
                    .Object("loadBalancer")
                    .Array("ingress")
                    .Objects()
                    .Select(item => item.Text("ip") ?? item.Text("hostname") ?? "")
                    .Concat(external)
                    .ToList();
                return ingress.Count == 0 ? "<pending>" : string.Join(",", ingress);
            case "ExternalName":
                return spec.Text("externalName") ?? "<none>";
            default:
                return external.Count == 0 ? "<none>" : string.Join(",", external);
        }
    }

    private static string Ports(JsonObject tree)
    {
        var ports = tree.Object("spec")
            .Array("ports")
            .Objects()
            .Select(port =>
                port.Integer("nodePort") is > 0 and var nodePort
                    ? $"{port.Integer("port")}:{nodePort}/{port.Text("protocol")}"
                    : $"{port.Integer("port")}/{port.Text("protocol")}"
            )
            .ToList();
        return ports.Count == 0 ? "<none>" : string.Join(",", ports);
    }

    private static string NodeStatus(JsonObject tree)
    {
        var ready = tree.Object("status").Array("conditions").Objects().FirstOrDefault(condition => condition.Text("type") == "Ready");
        var status = ready.Text("status") switch
        {
            null => "Unknown",
            "True" => "Ready",
            _ => "NotReady",
        };
        return tree.Object("spec").Boolean("unschedulable") == true ? status + ",SchedulingDisabled" : status;
    }

    private static string NodeRoles(JsonObject tree)
    {
        const string Prefix = "node-role.kubernetes.io/";
        var labels = tree.Object("metadata").Object("labels") ?? [];
        var roles = labels
            .Select(label => label.Key)
            .Where(key => key.StartsWith(Prefix, StringComparison.Ordinal) && key.Length > Prefix.Length)
            .Select(key => key[Prefix.Length..])
            .Concat(labels.Text("kubernetes.io/role") is { Length: > 0 } role ? [role] : [])
            .Order(StringComparer.Ordinal)
            .ToList();
        return roles.Count == 0 ? "<none>" : string.Join(",", roles);
    }

    private static string? NodeAddress(JsonObject tree, string type) =>
        tree.Object("status").Array("addresses").Objects().FirstOrDefault(address => address.Text("type") == type).Text("address");

    private static string? LastSeen(JsonObject tree) =>
        tree.Object("series").Text("lastObservedTime") ?? tree.Text("lastTimestamp") ?? tree.Text("eventTime");

    private static string ObjectOf(JsonObject tree)
    {
        var about = tree.Object("involvedObject");
        return about.Text("name") is { Length: > 0 } name
            ? $"{about.Text("kind")?.ToLowerInvariant()}/{name}"
            : about.Text("kind")?.ToLowerInvariant() ?? "";
    }

    private static string Source(JsonObject tree)
    {
        var component = tree.Object("source").Text("component") ?? tree.Text("reportingComponent") ?? "";
        var host = tree.Object("source").Text("host") ?? tree.Text("reportingInstance");
        return string.IsNullOrEmpty(host) ? component : $"{component}, {host}";
    }

    private static string EndpointList(JsonObject tree) =>
        Shorten(
            tree.Array("subsets")
                .Objects()
                .SelectMany(subset =>
                    subset.Array("ports") is { Count: > 0 } ports
                        ? ports
                            .Objects()
                            .SelectMany(port =>
                                subset.Array("addresses").Objects().Select(address => $"{address.Text("ip")}:{port.Integer("port")}")
                            )
                        : subset.Array("addresses").Objects().Select(address => address.Text("ip") ?? "")
                ),
            "<none>"
        );

    private static string Shorten(IEnumerable<string> items, string none)
    {
        var list = items.ToList();
        return list.Count switch
        {
            0 => none,
            > 3 => $"{string.Join(",", list.Take(3))} + {list.Count - 3} more...",
            _ => string.Join(",", list),
        };
    }

    private static string Subjects(JsonObject tree, string kind) =>
        string.Join(
            ", ",
            tree.Array("subjects")
                .Objects()
                .Where(subject => subject.Text("kind") == kind)
                .Select(subject =>
                    kind == "ServiceAccount" ? $"{subject.Text("namespace")}/{subject.Text("name")}" : subject.Text("name") ?? ""
                )
        );
}

/// <summary>The columns of admission policies (kubernetes <c>pkg/printers/internalversion</c>).</summary>
internal static class AdmissionTables
{
    private const string Unset = "<unset>";

    public static ITableFormat Policies { get; } =
        new TableFormat()
            .Name()
            .Integer("Validations", tree => tree.Object("spec").Array("validations")?.Count)
            .Text(
                "ParamKind",
                tree => tree.Object("spec").Object("paramKind") is { } kind ? $"{kind.Text("apiVersion")}/{kind.Text("kind")}" : Unset
            )
            .Age();

    public static ITableFormat Bindings { get; } =
        new TableFormat()
            .Name()
            .Text("PolicyName", tree => tree.Object("spec").Text("policyName"))
            .Text(
                "ParamRef",
                tree =>
                    tree.Object("spec").Object("paramRef") is { } reference
                        ? string.Join(
                            '/',
                            new[] { reference.Text("namespace"), reference.Text("name") }.Where(part => !string.IsNullOrEmpty(part))
                        )
                        : Unset
            )
            .Age();
}
