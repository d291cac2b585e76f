using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Patching;

/// <summary>Kubernetes' strategic merge patch: a merge patch that merges lists by key and supports directives.</summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeleteFrom = "$deleteFromPrimitiveList/";
    private const string SetOrder = "$setElementOrder/";

    /// <exception cref="ApiException">400 for an unknown directive or an item without a merge key.</exception>
    public static JsonObject Apply(JsonObject target, JsonObject patch, TypeSchema? type)
    {
        switch (patch.Text(Directive))
        {
            case null or "merge":
                break;
            case "replace":
                var replacement = patch.Copy();
                replacement.Remove(Directive);
                return replacement;
            case "delete":
                return [];
            case var other:
                throw ApiErrors.BadRequest($"unknown patch type found: {other}");
        }
        if (patch.Array(RetainKeys) is { } retained)
        {
            var kept = retained.Strings().ToHashSet(StringComparer.Ordinal);
            foreach (var name in target.Select(member => member.Key).Where(name => !kept.Contains(name)).ToList())
            {
                target.Remove(name);
            }
        }
        foreach (var (name, value) in patch)
        {
            if (
                name is Directive or RetainKeys
                || name.StartsWith(DeleteFrom, StringComparison.Ordinal)
                || name.StartsWith(SetOrder, StringComparison.Ordinal)
            )
            {
                continue;
            }
            ApplyMember(target, name, value, patch, MemberOf(type, name));
        }
        ApplyListDirectives(target, patch, type);
        return target;
    }

    private static (TypeSchema? Type, MergeRule? Rule) MemberOf(TypeSchema? type, string name)
    {
        if (type is { Form: ValueForm.Map })
        {
            return (type.Element, null);
        }
        return type is not null && type.Members.TryGetValue(name, out var member) ? (member.Type, member.Merge) : (null, null);
    }

    private static void ApplyMember(
        JsonObject target,
        string name,
        JsonNode? value,
        JsonObject patch,
        (TypeSchema? Type, MergeRule? Rule) member
    )
    {
        switch (value)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject child when child.Text(Directive) == "delete":
                target.Remove(name);
                break;
            case JsonObject child:
                var merged = Apply(target[name] as JsonObject ?? [], child, member.Type);
                if (merged.Parent is null)
                {
                    target[name] = merged;
                }
                break;
            case JsonArray list when member.Rule is { } rule && member.Type is { Form: ValueForm.List } listType:
                var live = target[name] as JsonArray ?? [];
                var result = rule.Key.Length == 0 ? MergeSet(live, list) : MergeList(live, list, rule.Key, listType.Element);
                target[name] = patch.Array(SetOrder + name) is { } order ? Order(result, live, order, rule.Key) : result;
                break;
            default:
                target[name] = value.DeepClone();
                break;
        }
    }

    private static void ApplyListDirectives(JsonObject target, JsonObject patch, TypeSchema? type)
    {
        foreach (var (name, value) in patch)
        {
            if (
                name.StartsWith(DeleteFrom, StringComparison.Ordinal)
                && value is JsonArray removed
                && target[name[DeleteFrom.Length..]] is JsonArray list
            )
            {
                foreach (var item in list.Where(item => removed.Any(gone => JsonNode.DeepEquals(gone, item))).ToList())
                {
                    list.Remove(item);
                }
            }
            else if (name.StartsWith(SetOrder, StringComparison.Ordinal) && value is JsonArray order)
            {
                var member = name[SetOrder.Length..];
                if (!patch.ContainsKey(member) && target[member] is JsonArray live && MemberOf(type, member).Rule is { } rule)
                {
                    target[member] = Order((JsonArray)live.DeepClone(), live, order, rule.Key);
                }
            }
        }
    }

    private static JsonArray MergeSet(JsonArray live, JsonArray patch)
    {
        var result = (JsonArray)live.DeepClone();
        foreach (var item in patch.Where(item => !result.Any(known => JsonNode.DeepEquals(known, item))))
        {
            result.Add(item?.DeepClone());
        }
        return result;
    }

    private static JsonArray MergeList(JsonArray live, JsonArray patch, string key, TypeSchema? element)
    {
        if (patch.Objects().Any(item => item.Text(Directive) == "replace"))
        {
            return [.. patch.Objects().Where(item => item.Text(Directive) != "replace").Select(item => item.DeepClone())];
        }
        var result = (JsonArray)live.DeepClone();
        foreach (var item in patch.Objects())
        {
            if (item[key] is not { } id)
            {
                throw ApiErrors.BadRequest($"map: {FieldError.Show(item)} does not contain declared merge key: {key}");
            }
            var existing = result.Objects().FirstOrDefault(known => JsonNode.DeepEquals(known[key], id));
            if (item.Text(Directive) == "delete")
            {
                if (existing is not null)
                {
                    result.Remove(existing);
                }
            }
            else if (existing is null)
            {
                result.Add(Apply([], item, element));
            }
            else
            {
                var merged = Apply(existing, item, element);
                if (!ReferenceEquals(merged, existing))
                {
                    result[result.IndexOf(existing)] = merged;
                }
            }
        }
        return result;
    }

    /// <summary>Sorts the items by the order directive; other items stay after their predecessor.</summary>
    private static JsonArray Order(JsonArray merged, JsonArray live, JsonArray order, string key)
    {
        JsonNode? Id(JsonNode? item) => key.Length == 0 ? item : (item as JsonObject)?[key];
        var desired = order.Select(Id).ToList();
        int Rank(JsonNode? item) => desired.FindIndex(id => JsonNode.DeepEquals(id, Id(item)));
        var items = merged.Select(item => item?.DeepClone()).ToList();
        var result = items.Where(item => Rank(item) >= 0).OrderBy(Rank).ToList();
        var liveIds = live.Select(Id).ToList();
        foreach (var item in items.Where(item => Rank(item) < 0))
        {
            var at = liveIds.FindIndex(id => JsonNode.DeepEquals(id, Id(item)));
            var before = at > 0 ? liveIds[at - 1] : null;
            var place = before is null
                ? (at == 0 ? -1 : result.Count - 1)
                : result.FindIndex(known => JsonNode.DeepEquals(Id(known), before));
            result.Insert(place < 0 && at > 0 ? result.Count : place + 1, item);
        }
        return [.. result];
    }
}
