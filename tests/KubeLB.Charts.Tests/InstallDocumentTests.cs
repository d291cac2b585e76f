using System.Text;
using System.Text.Json.Nodes;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// The tables of values in <c>docs/operator/install.md</c> are those of the charts' schemas. Rewritten with <c>KUBELB_UPDATE_GOLDEN=1</c>.
/// </summary>
public sealed class InstallDocumentTests
{
    private static readonly string File = Path.Combine(SourceTree.Root, "docs", "operator", "install.md");

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Tables_list_every_value(string chart)
    {
        var text = System.IO.File.ReadAllText(File);
        var begin = $"<!-- values of {chart} -->\n";
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.IndexOf("<!-- end -->", from, StringComparison.Ordinal);
        var table = Table(chart);
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            System.IO.File.WriteAllText(File, text[..from] + table + text[to..]);
            return;
        }

        text[from..to].Should().Be(table, "write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests");
    }

    private static string Table(string chart)
    {
        var text = new StringBuilder("| value | default | |\n|---|---|---|\n");
        AddRows(text, Schema.Of(chart), "", withDefault: true);
        AddRows(text, Schema.Of(chart), "", withDefault: false);
        return text.ToString();
    }

    private static void AddRows(StringBuilder text, JsonObject schema, string path, bool withDefault)
    {
        foreach (var (name, node) in schema["properties"]!.AsObject())
        {
            var value = node!.AsObject();
            var here = path + name;
            var hasDefault = value.ContainsKey("default");
            if (!hasDefault && value["properties"] is not null && here != "kkpintegration")
            {
                AddRows(text, value, here + ".", withDefault);
            }
            else if (hasDefault == withDefault)
            {
                var @default = hasDefault ? $"`{value["default"]?.ToJsonString() ?? "null"}`" : "";
                text.Append(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"| `{here}` | {@default} | {((string)value["description"]!).Replace("|", "\\|", StringComparison.Ordinal)} |\n"
                );
            }
        }
    }
}
