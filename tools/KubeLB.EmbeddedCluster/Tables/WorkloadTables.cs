using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>The columns of workload, networking, policy and autoscaling kinds.</summary>
internal static class WorkloadTables
{
    public static ITableFormat Pods { get; } =
        new TableFormat()
            .Name()
            .Text("Ready", ReadyContainers)
            .Text("Status", PodStatus)
            .Column("Restarts", (tree, now) => Restarts(tree, now))
            .Age()
            .Text("IP", tree => tree.Object("status").Text("podIP"), 1)
            .Text("Node", tree => tree.Object("spec").Text("nodeName"), 1)
            .Text("Nominated Node", tree => tree.Object("status").Text("nominatedNodeName"), 1)
            .Text("Readiness Gates", ReadinessGates, 1);

    public static ITableFormat Deployments { get; } =
        new TableFormat()
            .Name()
            .Text("Ready", tree => $"{Status(tree, "readyReplicas")}/{tree.Object("spec").Integer("replicas") ?? 0}")
            .Integer("Up-to-date", tree => Status(tree, "updatedReplicas"))
            .Integer("Available", tree => Status(tree, "availableReplicas"))
            .Age()
            .Text("Containers", tree => Containers(tree, "name"), 1)
            .Text("Images", tree => Containers(tree, "image"), 1)
            .Text("Selector", Selector, 1);

    public static ITableFormat ReplicaSets { get; } =
        new TableFormat()
            .Name()
            .Integer("Desired", tree => tree.Object("spec").Integer("replicas"))
            .Integer("Current", tree => Status(tree, "replicas"))
            .Integer("Ready", tree => Status(tree, "readyReplicas"))
            .Age()
            .Text("Containers", tree => Containers(tree, "name"), 1)
            .Text("Images", tree => Containers(tree, "image"), 1)
            .Text("Selector", Selector, 1);

    public static ITableFormat DaemonSets { get; } =
        new TableFormat()
            .Name()
            .Integer("Desired", tree => Status(tree, "desiredNumberScheduled"))
            .Integer("Current", tree => Status(tree, "currentNumberScheduled"))
            .Integer("Ready", tree => Status(tree, "numberReady"))
            .Integer("Up-to-date", tree => Status(tree, "updatedNumberScheduled"))
            .Integer("Available", tree => Status(tree, "numberAvailable"))
            .Text("Node Selector", tree => CoreTables.Labels(tree.Object("spec").Object("template").Object("spec").Object("nodeSelector")))
            .Age()
            .Text("Containers", tree => Containers(tree, "name"), 1)
            .Text("Images", tree => Containers(tree, "image"), 1)
            .Text("Selector", Selector, 1);

    public static ITableFormat PodDisruptionBudgets { get; } =
        new TableFormat()
            .Name()
            .Text("Min Available", tree => tree.Object("spec")?["minAvailable"]?.ToString() ?? "N/A")
            .Text("Max Unavailable", tree => tree.Object("spec")?["maxUnavailable"]?.ToString() ?? "N/A")
            .Integer("Allowed Disruptions", tree => Status(tree, "disruptionsAllowed"))
            .Age();

    public static ITableFormat NetworkPolicies { get; } =
        new TableFormat()
            .Name()
            .Text("Pod-Selector", tree => CoreTables.Labels(tree.Object("spec").Object("podSelector").Object("matchLabels")))
            .Age();

    public static ITableFormat ServiceCidrs { get; } =
        new TableFormat().Name().Text("CIDRs", tree => string.Join(',', tree.Object("spec").Array("cidrs").Strings())).Age();

    public static ITableFormat Autoscalers { get; } =
        new TableFormat()
            .Name()
            .Text(
                "Reference",
                tree => tree.Object("spec").Object("scaleTargetRef") is var target ? $"{target.Text("kind")}/{target.Text("name")}" : ""
            )
            .Text("Targets", AutoscalerTargets)
            .Text("MinPods", tree => tree.Object("spec").Integer("minReplicas")?.ToString() ?? "<unset>")
            .Integer("MaxPods", tree => tree.Object("spec").Integer("maxReplicas"))
            .Integer("Replicas", tree => Status(tree, "currentReplicas"))
            .Age();

    private static string AutoscalerTargets(JsonObject tree)
    {
        var targets = tree.Object("spec")
            .Array("metrics")
            .Objects()
            .Select(metric => metric.Object("resource"))
            .Select(resource =>
                resource.Object("target") is { } target && target.Integer("averageUtilization") is { } percent
                    ? $"{resource.Text("name")}: <unknown>/{percent}%"
                    : "<unknown>"
            )
            .ToList();
        return targets.Count == 0 ? "<none>" : string.Join(", ", targets);
    }

    private static long Status(JsonObject tree, string name) => tree.Object("status").Integer(name) ?? 0;

    private static bool Condition(JsonObject tree, string type) =>
        tree.Object("status")
            .Array("conditions")
            .Objects()
            .Any(condition => condition.Text("type") == type && condition.Text("status") == "True");

    private static string Containers(JsonObject tree, string member) =>
        string.Join(
            ",",
            tree.Object("spec").Object("template").Object("spec").Array("containers").Objects().Select(container => container.Text(member))
        );

    private static string Selector(JsonObject tree)
    {
        var selector = tree.Object("spec").Object("selector");
        var parts = (selector.Object("matchLabels") ?? [])
            .Select(label => $"{label.Key}={label.Value.AsText()}")
            .Order(StringComparer.Ordinal)
            .Concat(
                selector
                    .Array("matchExpressions")
                    .Objects()
                    .Select(requirement =>
                        requirement.Text("operator") switch
                        {
                            "Exists" => requirement.Text("key") ?? "",
                            "DoesNotExist" => "!" + requirement.Text("key"),
                            var operation => $"{requirement.Text("key")} {operation?.ToLowerInvariant()} "
                                + $"({string.Join(",", requirement.Array("values").Strings())})",
                        }
                    )
            )
            .ToList();
        return parts.Count == 0 ? "<none>" : string.Join(",", parts);
    }

    private static string ReadyContainers(JsonObject tree)
    {
        var ready = tree.Object("status").Array("containerStatuses").Objects().Count(status => status.Boolean("ready") == true);
        return $"{ready}/{tree.Object("spec").Array("containers")?.Count ?? 0}";
    }

    private static string PodStatus(JsonObject tree)
    {
        var status = tree.Object("status");
        var reason = status.Text("reason") ?? status.Text("phase") ?? "";
        var running = false;
        foreach (var container in status.Array("containerStatuses").Objects().Reverse())
        {
            var state = container.Object("state");
            if (state.Object("waiting").Text("reason") is { Length: > 0 } waiting)
            {
                reason = waiting;
            }
            else if (state.Object("terminated") is { } terminated)
            {
                reason =
                    terminated.Text("reason") is { Length: > 0 } why ? why
                    : terminated.Integer("signal") is > 0 and var signal ? $"Signal:{signal}"
                    : $"ExitCode:{terminated.Integer("exitCode") ?? 0}";
            }
            else if (container.Boolean("ready") == true && state.Object("running") is not null)
            {
                running = true;
            }
        }
        if (reason == "Completed" && running)
        {
            reason = Condition(tree, "Ready") ? "Running" : "NotReady";
        }
        if (tree.Object("metadata")?["deletionTimestamp"] is not null)
        {
            return status.Text("reason") == "NodeLost" ? "Unknown" : "Terminating";
        }
        return reason;
    }

    private static string Restarts(JsonObject tree, DateTimeOffset now)
    {
        var containers = tree.Object("status").Array("containerStatuses").Objects().ToList();
        var restarts = containers.Sum(container => container.Integer("restartCount") ?? 0);
        var last = containers
            .Select(container => container.Object("lastState").Object("terminated").Text("finishedAt"))
            .OfType<string>()
            .Max(StringComparer.Ordinal);
        return restarts > 0 && last is not null ? $"{restarts} ({Durations.Since(last, now)} ago)" : restarts.ToString();
    }

    private static string? ReadinessGates(JsonObject tree)
    {
        var gates = tree.Object("spec").Array("readinessGates").Objects().Select(gate => gate.Text("conditionType") ?? "").ToList();
        return gates.Count == 0 ? null : $"{gates.Count(gate => Condition(tree, gate))}/{gates.Count}";
    }
}
