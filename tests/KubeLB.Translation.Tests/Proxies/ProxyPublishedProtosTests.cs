using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tests.Proxies;

/// <summary>What a proxy starts with is what Envoy's published protos say.</summary>
public sealed class ProxyPublishedProtosTests(PublishedProtos protos) : IClassFixture<PublishedProtos>
{
    private const string Bootstrap = "envoy.config.bootstrap.v3.Bootstrap";

    public static TheoryData<string> Cases => ProxyGoldenTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_bootstrap_is_as_published(string name)
    {
        var result = await CheckAsync(Bootstrap, BootstrapOf(Yaml.Read(ProxyGoldenTests.Folder.Output(name))));

        result
            .Should()
            .Contain(Bootstrap, 1)
            .And.Contain("envoy.config.listener.v3.Listener", 3)
            .And.Contain("envoy.config.cluster.v3.Cluster", 2)
            .And.ContainKey("envoy.extensions.filters.http.health_check.v3.HealthCheck");
    }

    [Fact]
    public async Task The_cases_have_tls_and_the_overload_manager()
    {
        var found = new HashSet<string>();
        foreach (var json in ProxyGoldenTests.Folder.Cases().Select(name => BootstrapOf(Yaml.Read(ProxyGoldenTests.Folder.Output(name)))))
        {
            found.UnionWith((await CheckAsync(Bootstrap, json)).Keys);
        }

        found
            .Should()
            .Contain(
                "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "envoy.config.overload.v3.OverloadManager",
                "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
            );
    }

    [Fact]
    public async Task What_describes_the_certificate_is_as_published()
    {
        foreach (
            var json in new[] { ProxyCertificateFiles.DescribeCertificate(), ProxyCertificateFiles.DescribeTrust("envoycp.kubelb.svc") }
        )
        {
            (await CheckAsync("envoy.service.discovery.v3.DiscoveryResponse", json))
                .Should()
                .Contain("envoy.extensions.transport_sockets.tls.v3.Secret", 1);
        }
    }

    private static string BootstrapOf(IEnumerable<JsonObject> documents)
    {
        var workload = documents.Single(d => d["kind"]!.GetValue<string>() is "Deployment" or "DaemonSet");
        var args = workload["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!
            .AsArray()
            .Select(a => a!.GetValue<string>())
            .ToList();
        return args[args.IndexOf("--config-yaml") + 1];
    }

    private async Task<IReadOnlyDictionary<string, int>> CheckAsync(string type, string json)
    {
        var result = await protos.CheckAsync(type, json);
        result.Faults.Should().BeEmpty();
        result.Rules.Should().BeSubsetOf(PublishedProtos.Rules, "each of them is shown to be enforced");
        return result.Messages;
    }
}
