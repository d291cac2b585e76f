using System.Text.Json.Nodes;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/values.md</c> lists every value of the charts; it is written with <c>KUBELB_UPDATE_GOLDEN=1</c> from their schemas.
/// </summary>
public sealed class ValuesReferenceTests
{
    [Fact]
    public void Page_lists_every_value()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/values.md")
            .Title("Helm values", "`values.schema.json` of the charts")
            .Paragraph(
                """
                An unknown value, or a value of a wrong type, is rejected with its name. All values of the Go project's charts (1.3) are
                accepted. Those that have no effect are among the other values; `helm install` prints a warning for them.
                [install.md](../operator/install.md) says what to set for an installation.
                """
            );
        foreach (var chart in (string[])[Chart.Manager, Chart.Ccm])
        {
            var values = Values(Schema.Of(chart), "").ToList();
            page.Heading(2, $"Values of {chart}")
                .Table(["value", "default", "description"], values.Where(v => v.Default.Length > 0).Select(v => v.Row))
                .Heading(3, $"Other values of {chart}")
                .Table(["value", "description"], values.Where(v => v.Default.Length == 0).Select(v => (string[])[v.Row[0], v.Row[2]]));
        }

        page.Check();
    }

    private static IEnumerable<Value> Values(JsonObject schema, string path)
    {
        foreach (var (name, node) in schema["properties"]!.AsObject())
        {
            var value = node!.AsObject();
            var here = path + name;
            if (!value.ContainsKey("default") && value["properties"] is not null && here != "kkpintegration")
            {
                foreach (var inner in Values(value, $"{here}."))
                {
                    yield return inner;
                }
            }
            else
            {
                var @default = value.ContainsKey("default") ? value["default"]?.ToJsonString() ?? "null" : "";
                yield return new Value(here, @default, (string)value["description"]!);
            }
        }
    }

    private sealed record Value(string Name, string Default, string Description)
    {
        public IReadOnlyList<string> Row => [ReferencePage.Code(Name), ReferencePage.Code(Default), ReferencePage.Cell(Description)];
    }
}
