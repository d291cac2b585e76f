using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Workloads;

/// <summary>Deployments, ReplicaSets, DaemonSets and StatefulSets: selector, pod template and kind-specific defaults.</summary>
internal sealed class WorkloadStrategy(Action<JsonObject> defaults, Func<JsonObject> emptyStatus) : ResourceStrategy
{
    public static WorkloadStrategy Deployment { get; } = new(DefaultDeployment, () => []);

    public static WorkloadStrategy ReplicaSet { get; } =
        new(spec => spec.Default("replicas", 1), () => new JsonObject { ["replicas"] = 0 });

    public static WorkloadStrategy DaemonSet { get; } =
        new(
            DefaultDaemonSet,
            () =>
                new JsonObject
                {
                    ["currentNumberScheduled"] = 0,
                    ["numberMisscheduled"] = 0,
                    ["desiredNumberScheduled"] = 0,
                    ["numberReady"] = 0,
                }
        );

    public static WorkloadStrategy StatefulSet { get; } =
        new(DefaultStatefulSet, () => new JsonObject { ["replicas"] = 0, ["availableReplicas"] = 0 });

    public override void PrepareForCreate(JsonObject tree) => tree["status"] = emptyStatus();

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        defaults(spec);
        if (spec.Object("template") is { } template)
        {
            template.Default("metadata", new JsonObject());
            PodDefaults.Apply(template.Ensure("spec"));
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors) => PodValidation.Template(tree.Object("spec"), errors);

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (tree.Object("spec").Object("selector") is { } selector && !JsonAccess.Same(selector, old.Object("spec").Object("selector")))
        {
            errors.Add(FieldError.Invalid("spec.selector", selector, "field is immutable"));
        }
    }

    private static void DefaultDeployment(JsonObject spec)
    {
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("progressDeadlineSeconds", 600);
        var strategy = spec.Ensure("strategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            var rolling = strategy.Ensure("rollingUpdate");
            rolling.Default("maxUnavailable", "25%");
            rolling.Default("maxSurge", "25%");
        }
    }

    private static void DefaultDaemonSet(JsonObject spec)
    {
        spec.Default("revisionHistoryLimit", 10);
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            var rolling = strategy.Ensure("rollingUpdate");
            rolling.Default("maxUnavailable", 1);
            rolling.Default("maxSurge", 0);
        }
    }

    private static void DefaultStatefulSet(JsonObject spec)
    {
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("podManagementPolicy", "OrderedReady");
        spec.Default("persistentVolumeClaimRetentionPolicy", new JsonObject { ["whenDeleted"] = "Retain", ["whenScaled"] = "Retain" });
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            strategy.Ensure("rollingUpdate").Default("partition", 0);
        }
    }
}
