using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Core;

/// <summary>PodDisruptionBudgets: validation and initial status.</summary>
internal sealed class PodDisruptionBudgetStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) =>
        tree["status"] = new JsonObject
        {
            ["disruptionsAllowed"] = 0,
            ["currentHealthy"] = 0,
            ["desiredHealthy"] = 0,
            ["expectedPods"] = 0,
        };

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        if (tree.Object("spec") is { } spec && spec["minAvailable"] is not null && spec["maxUnavailable"] is not null)
        {
            errors.Add(FieldError.Invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
        }
    }
}
