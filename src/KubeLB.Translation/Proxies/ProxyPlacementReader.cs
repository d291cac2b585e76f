using System.Text.Json;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Reads the scheduling constraints of proxies. Entries that the API server would reject in a pod are ignored, so that the rest can be
/// applied.
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
                problems.Add(SettingsMessages.InvalidNodeLabel(key, value ?? ""));
            }
        }

        return (labels ?? []).Where(l => Key().IsMatch(l.Key) && Value().IsMatch(l.Value ?? "")).ToDictionary(StringComparer.Ordinal);
    }

    public static IReadOnlyList<V1Toleration> TolerationsOf(List<JsonElement>? tolerations, List<string> problems)
    {
        var usable = new List<V1Toleration>();
        foreach (var (index, json) in (tolerations ?? []).Index())
        {
            if (Read<V1Toleration>(json, $"tolerations[{index}]", problems) is not { } toleration)
            {
                continue;
            }

            if (Problem(toleration) is { } problem)
            {
                problems.Add(SettingsMessages.InvalidToleration(index, problem));
            }
            else
            {
                usable.Add(toleration);
            }
        }

        return usable;
    }

    public static V1Affinity? AffinityOf(JsonElement? affinity, List<string> problems) =>
        affinity is { ValueKind: not JsonValueKind.Null } json ? Read<V1Affinity>(json, "affinity", problems) : null;

    private static T? Read<T>(JsonElement json, string field, List<string> problems)
        where T : class
    {
        try
        {
            return KubernetesJson.Deserialize<T>(json.GetRawText());
        }
        catch (JsonException e)
        {
            problems.Add(SettingsMessages.WrongType(field, e.Path ?? ""));
            return null;
        }
    }

    private static string? Problem(V1Toleration toleration) =>
        !Operators.Contains(toleration.OperatorProperty) ? SettingsMessages.UnknownTolerationOperator(toleration.OperatorProperty)
        : !Effects.Contains(toleration.Effect is "" ? null : toleration.Effect)
            ? SettingsMessages.UnknownTolerationEffect(toleration.Effect)
        : toleration.OperatorProperty == "Exists" && !string.IsNullOrEmpty(toleration.Value) ? SettingsMessages.TolerationValueWithExists
        : toleration.OperatorProperty != "Exists" && string.IsNullOrEmpty(toleration.Key) ? SettingsMessages.TolerationWithoutKey
        : toleration.TolerationSeconds is not null && toleration.Effect != "NoExecute" ? SettingsMessages.TolerationSecondsWithoutNoExecute
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
