using System.Text.Json;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Reads where proxies may run. What an API server would refuse of a pod does not count, so that the rest of it can be written.
/// </summary>
internal static partial class ProxyPlacementReader
{
    private static readonly string?[] Operators = [null, "Exists", "Equal"];
    private static readonly string?[] Effects = [null, "NoSchedule", "PreferNoSchedule", "NoExecute"];

    public static IReadOnlyDictionary<string, string> NodeSelectorOf(Dictionary<string, string>? labels, List<string> problems)
    {
        foreach (var (key, value) in labels ?? [])
        {
            if (!Key().IsMatch(key) || !Value().IsMatch(value ?? ""))
            {
                problems.Add(
                    $"envoyProxy.nodeSelector {key}: {value} cannot be a label of a node and does not count; write one as kubectl "
                        + "get nodes --show-labels has them."
                );
            }
        }

        return (labels ?? []).Where(l => Key().IsMatch(l.Key) && Value().IsMatch(l.Value ?? "")).ToDictionary(StringComparer.Ordinal);
    }

    public static IReadOnlyList<V1Toleration> TolerationsOf(List<JsonElement>? tolerations, List<string> problems)
    {
        var usable = new List<V1Toleration>();
        foreach (var (place, json) in (tolerations ?? []).Index())
        {
            if (Read<V1Toleration>(json, $"tolerations[{place}]", "a toleration", problems) is not { } toleration)
            {
                continue;
            }

            if (Problem(toleration) is { } problem)
            {
                problems.Add($"envoyProxy.tolerations[{place}] does not count: {problem}.");
            }
            else
            {
                usable.Add(toleration);
            }
        }

        return usable;
    }

    public static V1Affinity? AffinityOf(JsonElement? affinity, List<string> problems) =>
        affinity is { ValueKind: not JsonValueKind.Null } json ? Read<V1Affinity>(json, "affinity", "an affinity", problems) : null;

    private static T? Read<T>(JsonElement json, string field, string what, List<string> problems)
        where T : class
    {
        try
        {
            return KubernetesJson.Deserialize<T>(json.GetRawText());
        }
        catch (JsonException e)
        {
            problems.Add($"envoyProxy.{field} is not {what} and does not count: {e.Path} is of the wrong type; write it as in a pod.");
            return null;
        }
    }

    private static string? Problem(V1Toleration toleration) =>
        !Operators.Contains(toleration.OperatorProperty) ? $"operator \"{toleration.OperatorProperty}\" is not known; write Exists or Equal"
        : !Effects.Contains(toleration.Effect is "" ? null : toleration.Effect)
            ? $"effect \"{toleration.Effect}\" is not known; write NoSchedule, PreferNoSchedule or NoExecute"
        : toleration.OperatorProperty == "Exists" && !string.IsNullOrEmpty(toleration.Value)
            ? "with operator Exists there is no value; leave it out"
        : toleration.OperatorProperty != "Exists" && string.IsNullOrEmpty(toleration.Key)
            ? "without key it tolerates everything; write operator Exists for that"
        : toleration.TolerationSeconds is not null && toleration.Effect != "NoExecute" ? "tolerationSeconds needs effect NoExecute"
        : null;

    // https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
    [GeneratedRegex(
        @"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Key();

    [GeneratedRegex(@"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Value();
}
