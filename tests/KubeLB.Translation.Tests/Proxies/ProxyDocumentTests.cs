using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tests.Proxies;

/// <summary>docs/operator/proxies.md says what is so.</summary>
public sealed class ProxyDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operator", "proxies.md"));

    private static IEnumerable<string> FirstColumn =>
        Document.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('|')[1]);

    [Fact]
    public void Table_has_exactly_the_fields()
    {
        var written = FirstColumn.SelectMany(cell => cell.Split(',')).Select(field => field.Trim().Trim('`'));

        written.Should().BeEquivalentTo(FieldsOf(typeof(ConfigEnvoyProxy)));
    }

    [Theory]
    [InlineData("image", ProxySettings.DefaultImage)]
    [InlineData("replicas", 3)]
    [InlineData("gracefulShutdown.minDrainDuration", "5s")]
    [InlineData("gracefulShutdown.drainTimeout", "60s")]
    [InlineData("gracefulShutdown.terminationGracePeriodSeconds", 300)]
    [InlineData("headerLimits.maxRequestHeadersKb", 8192)]
    [InlineData("headerLimits.maxRequestHeadersCount", 4096)]
    [InlineData("headerLimits.maxResponseHeadersKb", 8192)]
    public void Numbers_of_the_document_are_the_defaults(string field, object value) =>
        Document.Should().Contain($"\n| `{field}` | `{value}` |");

    [Fact]
    public void Defaults_of_the_document_are_the_effective_ones()
    {
        var defaults = ProxySettings.Merge(null, null);

        defaults.Should().BeEquivalentTo(ProxySettings.Default);
        (
            defaults.Image,
            defaults.Replicas,
            defaults.Drain!.Minimum.TotalSeconds,
            defaults.Drain.Maximum.TotalSeconds,
            defaults.TerminationGracePeriodSeconds
        )
            .Should()
            .Be((ProxySettings.DefaultImage, 3, 5, 60, 300));
        defaults.Headers.Should().Be(new ProxyHeaderLimits(8192, 4096, 8192));
    }

    [Theory]
    [InlineData(ProxyPorts.Stats)]
    [InlineData(ProxyPorts.Readiness)]
    [InlineData(ProxyPorts.Health)]
    [InlineData(ProxyPorts.Admin)]
    public void Own_ports_of_the_proxy_are_documented(int port) => Document.Should().Contain($"\n| {port} |");

    private static IEnumerable<string> FieldsOf(Type type) =>
        type.GetProperties()
            .Where(p => p.Name != nameof(Extensible.Unknown))
            .SelectMany(p =>
            {
                var name = JsonNamingPolicy.CamelCase.ConvertName(p.Name);
                return typeof(Extensible).IsAssignableFrom(p.PropertyType) ? FieldsOf(p.PropertyType).Select(f => $"{name}.{f}") : [name];
            });
}
