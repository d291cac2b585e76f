using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.Tests.Shared;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>The CustomResourceDefinitions of the repository.</summary>
internal static class RuleDefinitions
{
    private static readonly string[] Folders =
    [
        "deploy/crds",
        "charts/kubelb-ccm/crds",
        "charts/kubelb-manager/crds",
        "tools/KubeLB.Sandbox/Crds",
    ];

    /// <summary>The files of the repository, and those below KUBELB_TEST_CRDS.</summary>
    public static IEnumerable<string> Files() =>
        Folders
            .Select(folder => Path.Combine(SourceTree.Root, folder))
            .Append(Environment.GetEnvironmentVariable("KUBELB_TEST_CRDS"))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder!, "*.yaml", SearchOption.AllDirectories))
            .Where(file => File.ReadAllText(file).Contains("kind: CustomResourceDefinition", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(SourceTree.Root, file))
            .Order(StringComparer.Ordinal);

    /// <summary>The schemas of a file by version.</summary>
    public static IEnumerable<(string Version, SchemaNode Schema)> Schemas(string file) =>
        YamlReading
            .ParseAll(File.ReadAllText(Path.Combine(SourceTree.Root, file)))
            .Where(document => document.Text("kind") == "CustomResourceDefinition")
            .SelectMany(definition => definition.At("spec").Array("versions").Objects())
            .Select(version => (version.Text("name")!, new SchemaNode(version.Object("schema").Object("openAPIV3Schema")!)));

    /// <summary>A version of a definition with the schema.</summary>
    public static CustomVersion Version(JsonObject schema) =>
        new(
            new JsonObject
            {
                ["name"] = "v1",
                ["schema"] = new JsonObject { ["openAPIV3Schema"] = schema },
            }
        );

    /// <summary>The errors of an object by schema and rules, as a create or update reports them. The object is defaulted.</summary>
    public static List<FieldError> Validate(CustomVersion version, JsonObject tree, JsonObject? old = null, List<string>? warnings = null)
    {
        var strategy = new CustomResourceStrategy(version);
        var errors = new List<FieldError>();
        strategy.Default(tree);
        strategy.Validate(tree, errors);
        strategy.ValidateRules(tree, old, errors, warnings ?? []);
        return errors;
    }
}
