using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.Discovery;

/// <summary>The discovery documents: served groups, versions and resources.</summary>
internal sealed class DiscoveryDocuments(ResourceRegistry registry)
{
    public const string AggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    public static JsonObject CoreVersions(string address) =>
        new()
        {
            ["kind"] = "APIVersions",
            ["versions"] = new JsonArray("v1"),
            ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address }),
        };

    public JsonObject GroupList() =>
        new()
        {
            ["kind"] = "APIGroupList",
            ["apiVersion"] = "v1",
            ["groups"] = new JsonArray([.. Groups().Select(group => GroupOf(group.Name, group.Versions))]),
        };

    /// <summary>One group; null when it is not served.</summary>
    public JsonObject? Group(string name)
    {
        foreach (var (group, versions) in Groups())
        {
            if (group == name)
            {
                var result = new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" };
                foreach (var (member, value) in GroupOf(group, versions))
                {
                    result[member] = value?.DeepClone();
                }
                return result;
            }
        }
        return null;
    }

    /// <summary>The resources of one version; null when it is not served.</summary>
    public JsonObject? Resources(string group, string version)
    {
        var found = registry.All.Where(resource => resource.Group == group && resource.Version == version).ToList();
        if (found.Count == 0)
        {
            return null;
        }
        var list = new JsonObject { ["kind"] = "APIResourceList" };
        if (group.Length > 0)
        {
            list["apiVersion"] = "v1";
        }
        list["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}";
        list["resources"] = new JsonArray([
            .. found.OrderBy(resource => resource.Plural, StringComparer.Ordinal).SelectMany(ResourceEntries),
        ]);
        return list;
    }

    /// <summary>Aggregated discovery of the core group, or of all others.</summary>
    public JsonObject Aggregated(bool core)
    {
        var items = registry
            .All.Where(resource => resource.Group.Length == 0 == core)
            .GroupBy(resource => resource.Group)
            .Select(group =>
                (JsonNode)
                    new JsonObject
                    {
                        ["metadata"] = group.Key.Length == 0 ? new JsonObject() : new JsonObject { ["name"] = group.Key },
                        ["versions"] = new JsonArray([
                            .. Ordered(group.Select(resource => resource.Version))
                                .Select(version =>
                                    (JsonNode)
                                        new JsonObject
                                        {
                                            ["version"] = version,
                                            ["resources"] = new JsonArray([
                                                .. group
                                                    .Where(resource => resource.Version == version)
                                                    .OrderBy(resource => resource.Plural, StringComparer.Ordinal)
                                                    .Select(AggregatedEntry),
                                            ]),
                                            ["freshness"] = "Current",
                                        }
                                ),
                        ]),
                    }
            );
        return new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = "apidiscovery.k8s.io/v2",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. items]),
        };
    }

    /// <summary>Versions in Kubernetes' order of priority: v2, v1, v1beta1, v1alpha1, others.</summary>
    public static IEnumerable<string> Ordered(IEnumerable<string> versions) =>
        versions.Distinct().OrderBy(VersionRank).ThenByDescending(version => version, StringComparer.Ordinal);

    private IEnumerable<(string Name, List<string> Versions)> Groups() =>
        registry
            .All.Where(resource => resource.Group.Length > 0)
            .GroupBy(resource => resource.Group)
            .Select(group => (group.Key, Ordered(group.Select(resource => resource.Version)).ToList()));

    private static (int, int, int) VersionRank(string version)
    {
        var match = System.Text.RegularExpressions.Regex.Match(version, "^v(\\d+)(?:(alpha|beta)(\\d+))?$");
        if (!match.Success)
        {
            return (3, 0, 0);
        }
        var stage = match.Groups[2].Value switch
        {
            "" => 0,
            "beta" => 1,
            _ => 2,
        };
        return (stage, -int.Parse(match.Groups[1].Value), match.Groups[3].Success ? -int.Parse(match.Groups[3].Value) : 0);
    }

    private static JsonObject GroupOf(string group, List<string> versions) =>
        new()
        {
            ["name"] = group,
            ["versions"] = new JsonArray([.. versions.Select(version => Version(group, version))]),
            ["preferredVersion"] = Version(group, versions[0]),
        };

    private static JsonObject Version(string group, string version) =>
        new() { ["groupVersion"] = $"{group}/{version}", ["version"] = version };

    private static IEnumerable<JsonNode> ResourceEntries(ResourceDefinition resource)
    {
        var entry = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Strings(resource.Verbs),
        };
        AddNames(entry, resource);
        if (resource.Verbs.Contains("list"))
        {
            entry["storageVersionHash"] = StorageHash(resource);
        }
        yield return entry;
        foreach (var subresource in resource.Subresources.OrderBy(subresource => subresource.Name, StringComparer.Ordinal))
        {
            var item = new JsonObject
            {
                ["name"] = $"{resource.Plural}/{subresource.Name}",
                ["singularName"] = "",
                ["namespaced"] = resource.Namespaced,
            };
            if (subresource.Version.Length > 0)
            {
                item["group"] = subresource.Group;
                item["version"] = subresource.Version;
            }
            item["kind"] = subresource.Kind;
            item["verbs"] = Strings(subresource.Verbs);
            yield return item;
        }
    }

    private static JsonNode AggregatedEntry(ResourceDefinition resource)
    {
        // Built-in kinds are listed with empty groups and versions, as kube-apiserver does.
        var entry = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = ResponseKind(
                resource.Custom is null ? "" : resource.Group,
                resource.Custom is null ? "" : resource.Version,
                resource.Kind
            ),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = Strings(resource.Verbs),
        };
        AddNames(entry, resource);
        if (resource.Subresources.Count > 0)
        {
            entry["subresources"] = new JsonArray([
                .. resource
                    .Subresources.OrderBy(subresource => subresource.Name, StringComparer.Ordinal)
                    .Select(subresource =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["subresource"] = subresource.Name,
                                ["responseKind"] = ResponseKind(
                                    subresource.Version.Length > 0 ? subresource.Group
                                        : resource.Custom is null ? ""
                                        : resource.Group,
                                    subresource.Version.Length > 0 ? subresource.Version
                                        : resource.Custom is null ? ""
                                        : resource.Version,
                                    subresource.Kind
                                ),
                                ["verbs"] = Strings(subresource.Verbs),
                            }
                    ),
            ]);
        }
        return entry;
    }

    private static JsonObject ResponseKind(string group, string version, string kind) =>
        new()
        {
            ["group"] = group,
            ["version"] = version,
            ["kind"] = kind,
        };

    private static void AddNames(JsonObject entry, ResourceDefinition resource)
    {
        if (resource.ShortNames.Count > 0)
        {
            entry["shortNames"] = Strings(resource.ShortNames);
        }
        if (resource.Categories.Count > 0)
        {
            entry["categories"] = Strings(resource.Categories);
        }
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];

    private static string StorageHash(ResourceDefinition resource) =>
        Convert.ToBase64String(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{resource.StorageGroup}/{resource.StorageVersion}/{resource.Kind}"))[..8]
        );
}
