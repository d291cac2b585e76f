using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Workloads;

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
