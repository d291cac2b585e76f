using k8s.Models;

namespace KubeLB.Translation.Proxies;

/// <summary>Reads what a proxy may use. What an API server would refuse of a container does not count as a whole.</summary>
internal static class ProxyResourcesReader
{
    private static readonly string[] Standard = ["cpu", "memory", "ephemeral-storage"];

    public static V1ResourceRequirements? ResourcesOf(V1ResourceRequirements? resources, List<string> problems)
    {
        if (resources is null || Problem(resources) is not { } problem)
        {
            return resources;
        }

        problems.Add($"envoyProxy.resources does not count: {problem}.");
        return null;
    }

    private static string? Problem(V1ResourceRequirements resources)
    {
        var requests = resources.Requests ?? new Dictionary<string, ResourceQuantity>();
        var limits = resources.Limits ?? new Dictionary<string, ResourceQuantity>();
        if (requests.Keys.Concat(limits.Keys).FirstOrDefault(name => !IsResource(name)) is { } unknown)
        {
            return $"\"{unknown}\" is no resource; write cpu, memory or ephemeral-storage";
        }

        if (requests.Concat(limits).FirstOrDefault(r => r.Value.ToDecimal() < 0) is { Key: { } negative })
        {
            return $"{negative} is less than 0";
        }

        return
            requests.FirstOrDefault(r => limits.TryGetValue(r.Key, out var limit) && r.Value.ToDecimal() > limit.ToDecimal())
                is { Key: { } name }
            ? $"requests.{name} {requests[name]} is more than limits.{name} {limits[name]}; write less, or a greater limit"
            : null;
    }

    private static bool IsResource(string name) =>
        Standard.Contains(name) || name.StartsWith("hugepages-", StringComparison.Ordinal) || name.Contains('/', StringComparison.Ordinal);
}
