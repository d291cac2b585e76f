using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/config.md</c> and <c>docs/reference/crds.md</c> list every kind and field; they are written with
/// <c>KUBELB_UPDATE_GOLDEN=1</c> from the definitions in <c>deploy/crds</c>.
/// </summary>
public sealed partial class CrdReferenceTests
{
    private const string Source = "the CustomResourceDefinitions in `deploy/crds`";

    private static readonly string[] Settings = ["Config", "Tenant"];

    // Patterns that are better said in words.
    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["^https?://"] = "a URL with http or https",
        ["^(((25[0-5]"] = "an IP range such as 10.0.0.0/8",
        [@"^(\+|-)?(([0-9]+"] = "a quantity such as 500m or 256Mi",
        ["^([a-z0-9]([-a-z0-9]*"] = "a name such as example.com/MyName",
        ["^[1-9][0-9]{0,4}(-"] = "ports and ranges such as 80,30000-32767",
    };

    private static readonly IReadOnlyList<JsonObject> Definitions =
    [
        .. Directory
            .GetFiles(Path.Combine(SourceTree.Root, "deploy", "crds"), "kubelb.k8c.io_*.yaml")
            .Select(file => Yaml.Read(File.ReadAllText(file)).Single()["spec"]!.AsObject())
            .OrderBy(KindOf, StringComparer.Ordinal),
    ];

    [Fact]
    public void Page_lists_every_field_of_Config_and_Tenant()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/config.md")
            .Title("Fields of Config and Tenant", Source)
            .Paragraph(
                """
                The administrator sets them in the management cluster: in the Config `default` in the namespace of the manager for all
                tenants, in a Tenant for that tenant. A field of the Tenant takes precedence over the same field of the Config.
                [settings.md](../operator/settings.md) explains the settings, [crds.md](crds.md) lists the other kinds.
                `[]` stands for the entries of a list, `{}` for the values of a map.
                """
            );
        foreach (var definition in Definitions.Where(d => Settings.Contains(KindOf(d))))
        {
            page.Heading(2, KindOf(definition)).Line(ReferencePage.Text(DescriptionOf(SchemaOf(definition))));
            AddFields(page, definition);
        }

        page.Check();
    }

    [Fact]
    public void Page_lists_every_kind()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/crds.md")
            .Title("Kinds of KubeLB", Source)
            .Paragraph(
                """
                All kinds are of group `kubelb.k8c.io`. Administrators write Configs and Tenants ([fields](config.md)); with
                `--enable-secret-synchronizer`, users write SyncSecrets. Manager and CCM write all other kinds: do not edit them.
                `[]` stands for the entries of a list, `{}` for the values of a map.
                """
            )
            .Line()
            .Table(
                ["kind", "resource", "short names", "scope", "versions"],
                Definitions.Select(d =>
                    (string[])
                        [
                            $"[{KindOf(d)}](#{KindOf(d).ToLowerInvariant()})",
                            ReferencePage.Code(d["names"]!["plural"]!.GetValue<string>()),
                            string.Join(", ", Texts(d["names"]!["shortNames"]).Select(ReferencePage.Code)),
                            d["scope"]!.GetValue<string>(),
                            string.Join(", ", d["versions"]!.AsArray().Select(VersionOf)),
                        ]
                )
            );
        foreach (var definition in Definitions)
        {
            page.Heading(2, KindOf(definition)).Line(ReferencePage.Text(DescriptionOf(SchemaOf(definition))));
            if (StorageOf(definition)["additionalPrinterColumns"] is JsonArray columns)
            {
                page.Line()
                    .Line("Columns of `kubectl get`, after the name:")
                    .Line()
                    .Table(
                        ["column", "content", "path"],
                        columns.Select(c =>
                            (string[])
                                [
                                    c!["name"]!.GetValue<string>() + (c["priority"] is null ? "" : " (`-o wide`)"),
                                    ReferencePage.Cell(c["description"]!.GetValue<string>()),
                                    ReferencePage.Code(c["jsonPath"]!.GetValue<string>()),
                                ]
                        )
                    );
            }

            if (Settings.Contains(KindOf(definition)))
            {
                page.Paragraph($"Fields: [config.md](config.md#{KindOf(definition).ToLowerInvariant()}).");
            }
            else
            {
                AddFields(page, definition);
            }
        }

        page.Check();
    }

    [Fact]
    public void Defaults_in_descriptions_are_those_of_the_schema()
    {
        foreach (var row in Definitions.SelectMany(d => Fields(SchemaOf(d), "").Select(f => (Kind: KindOf(d), f.Path, f.Schema))))
        {
            if (row.Schema["default"] is { } value && DefaultInText().Match(DescriptionOf(row.Schema)) is { Success: true } match)
            {
                match.Groups[1].Value.Should().Be(value.ToString(), "{0} {1}", row.Kind, row.Path);
            }
        }
    }

    private static void AddFields(ReferencePage page, JsonObject definition)
    {
        foreach (var part in SchemaOf(definition)["properties"]!.AsObject().Where(p => p.Key is not ("apiVersion" or "kind" or "metadata")))
        {
            var schema = part.Value!.AsObject();
            page.Paragraph($"**`{part.Key}`**: {ReferencePage.Text(DescriptionOf(schema))}");
            var rows = Fields(schema, "").ToList();
            if (rows.Count > 0)
            {
                page.Line()
                    .Table(["field", "type", "default", "values", "description"], rows.Select(f => Row(f.Path, f.Schema, f.IsRequired)));
            }
            else
            {
                page.Line()
                    .Table(
                        ["type", "values"],
                        [
                            [Type(schema), ReferencePage.Cell(Values(schema, isRequired: false))],
                        ]
                    );
            }
        }
    }

    // In the order of the file; entries of a list and values of a map only if they have fields of their own.
    private static IEnumerable<(string Path, JsonObject Schema, bool IsRequired)> Fields(JsonObject schema, string prefix)
    {
        var required = Texts(schema["required"]).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, node) in schema["properties"]?.AsObject() ?? [])
        {
            var (path, field) = ($"{prefix}{name}", node!.AsObject());
            yield return (path, field, required.Contains(name));
            var inner = field;
            var innerPath = path;
            while ((inner["items"] ?? inner["additionalProperties"]) is JsonObject next)
            {
                innerPath += inner["items"] is not null ? "[]" : "{}";
                inner = next;
            }

            if (!IsConditions(field))
            {
                foreach (var below in Fields(inner, $"{innerPath}."))
                {
                    yield return below;
                }
            }
        }
    }

    private static string[] Row(string path, JsonObject schema, bool isRequired)
    {
        var description = DescriptionOf(schema);
        var @default = schema["default"]?.ToString();
        if (DefaultInText().Match(description) is { Success: true } match)
        {
            @default ??= match.Groups[1].Value;

            // A whole sentence is said by the column.
            description = match.Value.EndsWith('.')
                ? description.Remove(match.Index, match.Length).Replace("  ", " ", StringComparison.Ordinal).Trim()
                : description;
        }

        return
        [
            ReferencePage.Code(path),
            Type(schema),
            @default == "none" ? @default : ReferencePage.Code(@default),
            ReferencePage.Cell(Values(schema, isRequired)),
            ReferencePage.Cell(description),
        ];
    }

    private static string Type(JsonObject schema) =>
        IsConditions(schema) ? "list of conditions"
        : schema["items"] is JsonObject item ? $"list of {Plural(Type(item))}"
        : schema["additionalProperties"] is JsonObject value ? $"map of {Plural(Type(value))}"
        : schema["x-kubernetes-int-or-string"] is not null ? "number or string"
        : schema["format"]?.GetValue<string>() == "date-time" ? "time"
        : schema["type"]!.GetValue<string>();

    private static string Plural(string type) => type.Contains(' ', StringComparison.Ordinal) ? type : $"{type}s";

    private static string Values(JsonObject schema, bool isRequired)
    {
        var own = Constraints(schema).ToList();
        if (isRequired)
        {
            own.Insert(0, "required");
        }

        var inner = schema;
        while ((inner["items"] ?? inner["additionalProperties"]) is JsonObject next)
        {
            inner = next;
        }

        // The entries of a list of objects have rows of their own.
        var entries = inner == schema || inner["properties"] is not null ? [] : Constraints(inner).ToList();
        return string.Join(", ", own.Concat(entries.Count == 0 ? [] : [$"each {string.Join(", ", entries)}"]));
    }

    private static IEnumerable<string> Constraints(JsonObject schema)
    {
        if (schema["enum"] is { } values)
        {
            yield return string.Join(", ", Texts(values).Select(v => $"`{v}`"));
        }

        if (Range(schema, "minimum", "maximum") is { } range)
        {
            yield return range;
        }

        if (schema["pattern"]?.GetValue<string>() is { } pattern)
        {
            yield return Patterns.FirstOrDefault(p => pattern.StartsWith(p.Key, StringComparison.Ordinal)).Value ?? $"`{pattern}`";
        }

        if (Range(schema, "minLength", "maxLength") is { } length)
        {
            yield return $"{length} characters";
        }

        if ((Range(schema, "minItems", "maxItems") ?? Range(schema, "minProperties", "maxProperties")) is { } count)
        {
            yield return $"{count} entries";
        }
    }

    private static string? Range(JsonObject schema, string minimum, string maximum) =>
        (schema[minimum], schema[maximum]) switch
        {
            (null, null) => null,
            ({ } from, null) => $"at least {from}",
            (null, { } to) => $"at most {to}",
            var (from, to) => $"{from} to {to}",
        };

    private static bool IsConditions(JsonObject schema) => schema["items"]?["properties"]?["lastTransitionTime"] is not null;

    private static string KindOf(JsonObject definition) => definition["names"]!["kind"]!.GetValue<string>();

    private static JsonObject StorageOf(JsonObject definition) =>
        definition["versions"]!.AsArray().Single(v => v!["storage"]!.GetValue<bool>())!.AsObject();

    private static JsonObject SchemaOf(JsonObject definition) => StorageOf(definition)["schema"]!["openAPIV3Schema"]!.AsObject();

    private static string VersionOf(JsonNode? version) =>
        $"`{version!["name"]}`" + (version["served"]!.GetValue<bool>() ? "" : " (not served)");

    private static string DescriptionOf(JsonObject schema) => schema["description"]?.GetValue<string>() ?? "";

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(text => text!.GetValue<string>()) ?? [];

    [GeneratedRegex(@"\bDefault:? ([a-zA-Z0-9-]+)[.;](?=\s|$)")]
    private static partial Regex DefaultInText();
}
