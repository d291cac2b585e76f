using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Tables;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Creates resource definitions from a CustomResourceDefinition.</summary>
internal static class CustomResource
{
    private static readonly string[] Verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    private static readonly string[] SubresourceVerbs = ["get", "patch", "update"];

    public static ImmutableArray<ResourceDefinition> Read(JsonObject definition, ValidationRules rules)
    {
        var spec = definition.Object("spec")!;
        var names = spec.Object("names")!;
        var versions = spec.Array("versions").Objects().ToList();
        var storage = versions.FirstOrDefault(version => version.Boolean("storage") == true).Text("name");
        return
        [
            .. versions
                .Where(version => version.Boolean("served") == true)
                .Select(version => Read(spec, names, new CustomVersion(version), storage, rules)),
        ];
    }

    private static ResourceDefinition Read(JsonObject spec, JsonObject names, CustomVersion version, string? storage, ValidationRules rules)
    {
        var kind = names.Text("kind") ?? "";
        var subresources = new List<SubresourceDefinition>();
        if (version.HasStatus)
        {
            subresources.Add(new SubresourceDefinition("status", kind, SubresourceVerbs));
        }
        if (version.Scale is not null)
        {
            subresources.Add(new SubresourceDefinition("scale", "Scale", SubresourceVerbs, "autoscaling", "v1"));
        }
        return new ResourceDefinition
        {
            Group = spec.Text("group") ?? "",
            Version = version.Name,
            Plural = names.Text("plural") ?? "",
            Singular = names.Text("singular") ?? kind.ToLowerInvariant(),
            Kind = kind,
            ListKind = names.Text("listKind") ?? kind + "List",
            Namespaced = spec.Text("scope") != "Cluster",
            ShortNames = [.. names.Array("shortNames").Strings()],
            Categories = [.. names.Array("categories").Strings()],
            Verbs = Verbs,
            Subresources = subresources,
            StorageVersion = storage ?? version.Name,
            HasGeneration = true,
            Custom = version,
            Strategy = new CustomResourceStrategy(version, rules),
            Table = new CustomTable(version.Columns),
            SelectableFields = version.SelectableFields.ToDictionary(
                path => path.TrimStart('.'),
                path =>
                {
                    var compiled = JsonPath.Parse(path);
                    return (Func<JsonObject, string>)(tree => JsonPath.Print(compiled.Evaluate(tree).FirstOrDefault()));
                },
                StringComparer.Ordinal
            ),
        };
    }
}
