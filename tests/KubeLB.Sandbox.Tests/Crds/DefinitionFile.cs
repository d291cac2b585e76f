using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>A CustomResourceDefinition file.</summary>
internal sealed class DefinitionFile
{
    private readonly JsonObject _json;

    private DefinitionFile(JsonObject json) => _json = json;

    public string Kind => _json["spec"]!["names"]!["kind"]!.GetValue<string>();

    /// <summary>Scope and names.</summary>
    public string Names =>
        $"{_json["spec"]!["scope"]} {_json["spec"]!["names"]!["plural"]} {_json["spec"]!["names"]!["shortNames"]?.ToJsonString()}";

    public JsonObject Version => _json["spec"]!["versions"]!.AsArray().Single()!.AsObject();

    public JsonObject Schema => Version["schema"]!["openAPIV3Schema"]!.AsObject();

    /// <summary>Names and paths of the columns of <c>kubectl get</c>.</summary>
    public IReadOnlyList<string> Columns =>
        [.. (Version["additionalPrinterColumns"]?.AsArray() ?? []).Select(column => $"{column!["name"]} {column["jsonPath"]}")];

    /// <summary>The definitions of KubeLB's kinds in a folder, by kind.</summary>
    public static IReadOnlyDictionary<string, DefinitionFile> In(string folder) =>
        Directory
            .GetFiles(folder, "kubelb.k8c.io_*.yaml")
            .Select(file => new DefinitionFile(Yaml.Read(File.ReadAllText(file)).Single()))
            .ToDictionary(file => file.Kind);

    /// <summary>
    /// Every schema below the definition's own with its path: <c>[]</c> stands for elements of a list, <c>{}</c> for values of a map.
    /// </summary>
    public IEnumerable<(string Path, JsonObject Schema)> Schemas() => Below(Kind, Schema);

    /// <summary>Whether the path is that of a field, and not of a list's elements or a map's values.</summary>
    public static bool IsField(string path) => !path.EndsWith(']') && !path.EndsWith('}');

    private static IEnumerable<(string Path, JsonObject Schema)> Below(string path, JsonObject schema)
    {
        var children = (schema["properties"]?.AsObject() ?? [])
            .Select(p => ($"{path}.{p.Key}", p.Value))
            .Append(($"{path}[]", schema["items"]))
            .Append(($"{path}{{}}", schema["additionalProperties"]));
        foreach (var (childPath, child) in children)
        {
            if (child is JsonObject value)
            {
                yield return (childPath, value);
                foreach (var found in Below(childPath, value))
                {
                    yield return found;
                }
            }
        }
    }
}
