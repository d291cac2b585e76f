using k8s.Models;

namespace KubeLB.Sandbox.Nodes;

/// <summary>Quality of service class of a pod. https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/</summary>
internal static class PodQuality
{
    private static readonly string[] Counted = ["cpu", "memory"];

    /// <summary>What the API server says, which it never lets change; where it does not say, what it would.</summary>
    public static string Of(V1Pod pod)
    {
        if (pod.Status?.QosClass is { Length: > 0 } stated)
        {
            return stated;
        }

        var resources = (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).Select(c => c.Resources).ToList();
        if (resources.All(r => !IsGiven(r?.Requests) && !IsGiven(r?.Limits)))
        {
            return "BestEffort";
        }

        return resources.All(r => Counted.All(name => Limit(r, name) is { } limit && (Request(r, name) ?? limit) == limit))
            ? "Guaranteed"
            : "Burstable";
    }

    private static bool IsGiven(IDictionary<string, ResourceQuantity>? quantities) => quantities?.Keys.Any(Counted.Contains) == true;

    private static decimal? Limit(V1ResourceRequirements? resources, string name) =>
        resources?.Limits?.TryGetValue(name, out var quantity) == true ? quantity.ToDecimal() : null;

    private static decimal? Request(V1ResourceRequirements? resources, string name) =>
        resources?.Requests?.TryGetValue(name, out var quantity) == true ? quantity.ToDecimal() : null;
}
