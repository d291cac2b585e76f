using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Inspection.Access;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// The objects of a running cluster with changes: what a controller would have written in a state that is too expensive to produce, or
/// that a sandbox cannot have. Each change has a kind, a name and namespace, and the fields to merge; labels select instead of a name. A
/// change with an apiVersion is a complete object that the cluster lacks.
/// </summary>
internal sealed class PatchedObjects(IObjects objects, IReadOnlyList<JsonObject> changes) : IObjects
{
    public Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var added = Added<T>().FirstOrDefault(o => (o.Namespace() ?? "") == @namespace && o.Name() == name);
        return added is not null ? new Seen<T>(added)
            : objects.Get<T>(@namespace, name) is { Value: { } value } ? new Seen<T>(Changed(value))
            : objects.Get<T>(@namespace, name);
    }

    public SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var (items, unreadable) = objects.List<T>(@namespace, labelSelector);
        return new SeenList<T>(
            [
                .. Added<T>()
                    .Where(o => @namespace.Length == 0 || o.Namespace() == @namespace)
                    .Where(o => (labelSelector ?? "").Split(',').All(l => l.Length == 0 || Has(o, l.Split('=')))),
                .. items.Select(Changed),
            ],
            unreadable
        );
    }

    private static bool Has(IKubernetesObject<V1ObjectMeta> value, string[] label) =>
        value.Metadata.Labels?.TryGetValue(label[0], out var found) == true && found == label[1];

    private static string KindOf<T>() =>
        typeof(T).Name.Replace("V1", "", StringComparison.Ordinal).Replace("Http", "HTTP", StringComparison.Ordinal);

    private IEnumerable<T> Added<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        changes.Where(c => c["apiVersion"] is not null && c["kind"]!.GetValue<string>() == KindOf<T>()).Select(c => ApiJson.Read<T>(c));

    private T Changed<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var matching = changes
            .Where(c => c["apiVersion"] is null && c["kind"]!.GetValue<string>() == KindOf<T>() && Selects(c, value))
            .ToList();
        if (matching.Count == 0)
        {
            return value;
        }

        var json = ApiJson.ToJson(value);
        foreach (var change in matching)
        {
            var fields = change.DeepClone().AsObject();
            foreach (var selector in new[] { "kind", "name", "namespace", "labels" })
            {
                fields.Remove(selector);
            }

            Merge(json, fields);
        }

        return ApiJson.Read<T>(json);
    }

    private static bool Selects(JsonObject change, IKubernetesObject<V1ObjectMeta> value) =>
        (change["namespace"]?.GetValue<string>() ?? "") == (value.Namespace() ?? "")
        && (change["name"] is not { } name || name.GetValue<string>() == value.Name())
        && (change["labels"]?.AsObject() ?? []).All(l => Has(value, [l.Key, l.Value!.GetValue<string>()]));

    // Conditions are merged by type, other lists by index.
    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, change) in changes)
        {
            if (change is JsonArray list && target[name] is JsonArray old)
            {
                for (var i = 0; i < list.Count; i++)
                {
                    var item = list[i]!.AsObject();
                    var place = item["type"] is { } type
                        ? old.ToList().FindIndex(o => o!["type"]!.GetValue<string>() == type.GetValue<string>())
                        : i;
                    if (place >= 0 && place < old.Count)
                    {
                        Merge(old[place]!.AsObject(), item);
                    }
                    else
                    {
                        old.Add(item.DeepClone());
                    }
                }
            }
            else if (change is JsonObject fields && target[name] is JsonObject existing)
            {
                Merge(existing, fields);
            }
            else if (change is null)
            {
                target.Remove(name);
            }
            else
            {
                target[name] = change.DeepClone();
            }
        }
    }
}
