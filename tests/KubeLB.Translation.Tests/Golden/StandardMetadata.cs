using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>
/// Compares the metadata that all golden outputs have in common, and omits it from them: labels for the origin, the owner reference to the
/// Route, the annotation with the source's generation, times of transition. A value that is missing or differs is printed.
/// </summary>
internal static class StandardMetadata
{
    private const string Missing = "(missing)";

    /// <summary>Omits the standard metadata of a Route that the CCM wrote.</summary>
    /// <param name="output">The Route.</param>
    /// <param name="source">The tenant's object in it.</param>
    public static void OmitFromRoute(JsonObject output, JsonObject source)
    {
        OmitOrigin(output, (string)source["metadata"]!["namespace"]!, (string)source["metadata"]!["name"]!);
        OmitEntry(output, "labels", Labels.OriginResourceKind, RouteOrigin.ResourceKind((string)source["kind"]!));
        OmitEntry(output, "annotations", Annotations.SourceGeneration, "1");
    }

    /// <summary>Omits the standard metadata of an object generated from a Route.</summary>
    public static void OmitFromGenerated(JsonObject output, Route route, string originNamespace, string originName)
    {
        OmitOrigin(output, originNamespace, originName);
        var owner = new JsonObject
        {
            ["apiVersion"] = KubelbVersion.ApiVersion,
            ["controller"] = true,
            ["kind"] = Route.KindName,
            ["name"] = route.Name,
            ["uid"] = route.Metadata.Uid,
        };
        var metadata = output["metadata"]!.AsObject();
        if (JsonNode.DeepEquals(metadata["ownerReferences"], new JsonArray(owner)))
        {
            metadata.Remove("ownerReferences");
        }
        else
        {
            metadata["ownerReferences"] ??= Missing;
        }
    }

    /// <summary>Omits times of transition that are the case's time, and marks conditions without one.</summary>
    public static void OmitTimes(JsonNode? node)
    {
        if (node is JsonObject json)
        {
            if (json["lastTransitionTime"] is JsonValue time && time.GetValue<string>() == Settings.Now)
            {
                json.Remove("lastTransitionTime");
            }
            else if (json["lastTransitionTime"] is null && IsCondition(json))
            {
                json["lastTransitionTime"] = Missing;
            }

            json.Select(p => p.Value).ToList().ForEach(OmitTimes);
        }
        else if (node is JsonArray items)
        {
            items.ToList().ForEach(OmitTimes);
        }
    }

    private static bool IsCondition(JsonObject json) =>
        json.ContainsKey("type") && json.ContainsKey("status") && json.ContainsKey("reason");

    private static void OmitOrigin(JsonObject output, string @namespace, string name)
    {
        OmitEntry(output, "labels", Labels.ManagedBy, Labels.ManagedByKubelb);
        OmitEntry(output, "labels", Labels.OriginNamespace, @namespace);
        OmitEntry(output, "labels", Labels.OriginName, Labels.Value(name));
    }

    private static void OmitEntry(JsonObject output, string map, string key, string value)
    {
        var metadata = output["metadata"]!.AsObject();
        var entries = metadata[map] as JsonObject ?? [];
        if ((string?)entries[key] == value)
        {
            entries.Remove(key);
        }
        else
        {
            entries[key] ??= Missing;
        }

        metadata.Remove(map);
        if (entries.Count > 0)
        {
            metadata[map] = entries;
        }
    }
}
