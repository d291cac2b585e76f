using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Deployments, ReplicaSets and DaemonSets: selector, pod template and kind-specific defaults.</summary>
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
}

/// <summary>HorizontalPodAutoscalers: defaulted and validated; there is no controller.</summary>
internal sealed class AutoscalerStrategy : ResourceStrategy
{
    private static readonly Dictionary<string, string> Sources = new(StringComparer.Ordinal)
    {
        ["ContainerResource"] = "containerResource",
        ["External"] = "external",
        ["Object"] = "object",
        ["Pods"] = "pods",
        ["Resource"] = "resource",
    };

    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject { ["desiredReplicas"] = 0 };

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        spec.Default("minReplicas", 1);
        if (spec.Array("metrics") is null or { Count: 0 })
        {
            spec["metrics"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "Resource",
                    ["resource"] = new JsonObject
                    {
                        ["name"] = "cpu",
                        ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = 80 },
                    },
                }
            );
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree.Object("spec");
        foreach (var member in new[] { "kind", "name" })
        {
            if (string.IsNullOrEmpty(spec.Object("scaleTargetRef").Text(member)))
            {
                errors.Add(FieldError.Required($"spec.scaleTargetRef.{member}"));
            }
        }
        var minimum = spec.Integer("minReplicas") ?? 1;
        var maximum = spec.Integer("maxReplicas") ?? 0;
        if (minimum < 1)
        {
            errors.Add(FieldError.Invalid("spec.minReplicas", minimum, "must be greater than or equal to 1"));
        }
        if (maximum < 1)
        {
            errors.Add(FieldError.Invalid("spec.maxReplicas", maximum, "must be greater than 0"));
        }
        if (maximum < minimum)
        {
            errors.Add(FieldError.Invalid("spec.maxReplicas", maximum, "must be greater than or equal to `minReplicas`"));
        }
        var index = 0;
        foreach (var metric in spec.Array("metrics").Objects())
        {
            ValidateMetric(metric, $"spec.metrics[{index++}]", errors);
        }
    }

    private static void ValidateMetric(JsonObject metric, string path, List<FieldError> errors)
    {
        var type = metric.Text("type") ?? "";
        if (type.Length == 0)
        {
            errors.Add(FieldError.Required($"{path}.type", "must specify a metric source type"));
        }
        else if (!Sources.TryGetValue(type, out var source))
        {
            errors.Add(FieldError.NotSupported($"{path}.type", type, Sources.Keys));
        }
        else if (metric.Object(source) is null)
        {
            errors.Add(FieldError.Required($"{path}.{source}", "must populate information for the given metric source"));
        }
    }
}
