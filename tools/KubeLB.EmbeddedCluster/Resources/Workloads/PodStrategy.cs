using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Workloads;

/// <summary>Pods: defaults, and the fields of a pod that can be updated.</summary>
internal sealed class PodStrategy : ResourceStrategy
{
    private static readonly string[] Changeable =
    [
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "ephemeralContainers",
        "nodeName",
        "schedulingGates",
    ];

    public override void PrepareForCreate(JsonObject tree) =>
        tree["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = QosClass(tree.Object("spec")) };

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        PodDefaults.Apply(spec);
        spec.Default("enableServiceLinks", true);
        spec.Default("serviceAccountName", "default");
        spec.Default("serviceAccount", spec.Text("serviceAccountName"));
        spec.Default("preemptionPolicy", "PreemptLowerPriority");
        spec.Default("priority", 0);
    }

    // A pod without a node, or whose containers have terminated, is removed immediately.
    public override long GracePeriod(JsonObject tree, long? asked)
    {
        if (tree.Object("spec").Text("nodeName") is null or "" || tree.Object("status").Text("phase") is "Succeeded" or "Failed")
        {
            return 0;
        }
        return Math.Max(0, asked ?? tree.Object("spec").Integer("terminationGracePeriodSeconds") ?? 30);
    }

    public override void Validate(JsonObject tree, List<FieldError> errors) => PodValidation.Validate(tree.Object("spec"), "spec", errors);

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (!JsonAccess.Same(Fixed(tree), Fixed(old)))
        {
            errors.Add(
                FieldError.Forbidden(
                    "spec",
                    "pod updates may not change fields other than "
                        + "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                        + "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                        + "was previously negative)"
                )
            );
        }
    }

    private static JsonObject Fixed(JsonObject pod)
    {
        var spec = pod.Object("spec")?.Copy() ?? [];
        foreach (var name in Changeable)
        {
            spec.Remove(name);
        }
        foreach (var container in spec.Array("containers").Objects().Concat(spec.Array("initContainers").Objects()))
        {
            container.Remove("image");
        }
        return spec;
    }

    private static string QosClass(JsonObject? spec)
    {
        var resources = spec.Array("containers").Objects().Select(container => container.Object("resources")).ToList();
        if (resources.All(item => item.Object("requests") is null or { Count: 0 } && item.Object("limits") is null or { Count: 0 }))
        {
            return "BestEffort";
        }
        var guaranteed = resources.All(item =>
            item.Object("limits") is { } limits
            && limits.ContainsKey("cpu")
            && limits.ContainsKey("memory")
            && (
                item.Object("requests") is not { } requests
                || requests.All(request => JsonNode.DeepEquals(request.Value, limits[request.Key]))
            )
        );
        return guaranteed ? "Guaranteed" : "Burstable";
    }
}
