using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Runtime.Hosting;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>Reports of configuration that a proxy rejects, and of proxies that are rejected.</summary>
public sealed class XdsRejectionTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private const string H2c =
        """{"spec":{"ports":[{"port":8080,"targetPort":8080,"protocol":"TCP","appProtocol":"kubernetes.io/h2c"}]}}""";
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync(
            tenants: 2,
            o => o with { Manager = m => m with { HealthProbeBindAddress = "127.0.0.1:0" } }
        );
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "other-backend"));
        await _fixture.Tenant.ApplyAsync(
            Documents
                .Route.Replace("api-route", "other")
                .Replace("api.example.com", "other.example.com")
                .Replace("api-backend", "other-backend")
        );
        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "other",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await RouteAsync("other", c => c.IsTrue);
        await RouteAsync("api-route", c => c.IsTrue);
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Proxy_rejection_is_reported_by_Event_metric_and_debug_page_until_replaced()
    {
        using var proxy = await ConnectAsync("tenant-t1", "tenant-t1");
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        var rejected = await proxy.ReceiveAsync();
        var cluster = rejected.Resources.Select(r => r.Name).Single(n => n.Contains("api-route"));
        var words = $"Error adding/updating cluster(s) {cluster}: no such\n\tthing";
        await proxy.NackAsync(rejected, words);

        var recorded = await EventAsync(_fixture.Management, "default", "t1", "Warning ProxyRejected");
        recorded
            .Message.Should()
            .Be(
                $"Envoy rejected the cluster {cluster} and keeps the last accepted configuration: Error adding/updating cluster(s) "
                    + $"{cluster}: no such thing. "
                    + "See the manager's log and /debug/xds."
            );
        (await MetricAsync("kubelb_manager_xds_rejections_total{tenant=\"t1\",type=\"cluster\"}")).Should().Be("1");

        // A route that is served keeps its conditions, and nothing else is written.
        await _fixture.WaitUntilIdleAsync();
        Programmed(await RouteAsync("api-route", _ => true)).IsTrue.Should().BeTrue();
        _fixture.Requests().Should().NotContain(r => r.Resource == "leases" && r.Name.Contains("xds"));
        (await _fixture.Management.ListAsync<Corev1Event>("default")).Count(e => e.Reason == "ProxyRejected").Should().Be(1);

        var page = await DebugPageAsync("?tenant=t1");
        var shown = page["tenants"]!.AsArray().Should().ContainSingle().Subject!["proxies"]!
            .AsArray()
            .SelectMany(p => p!["streams"]!.AsArray())
            .SelectMany(s => s!["types"]!.AsArray())
            .SelectMany(t => t!["rejections"]!.AsArray())
            .Should()
            .ContainSingle()
            .Subject!;
        shown["message"]!.GetValue<string>().Should().Be(words);
        shown["first"]!.AsArray().Select(n => n!.GetValue<string>()).Should().Equal(cluster);

        await _fixture.Tenant.PatchAsync<V1Service>("default", "api-backend", H2c);
        var replaced = await proxy.ReceiveAsync();
        replaced.Resources.Should().ContainSingle().Which.Name.Should().Be(cluster);
        await proxy.AckAsync(replaced);

        await Eventually.HoldsAsync(
            async () => !(await DebugPageAsync("")).ToJsonString().Contains("no such", StringComparison.Ordinal),
            "nothing is rejected"
        );
    }

    [Fact]
    public async Task Acknowledgements_cost_no_request()
    {
        using var proxy = await ConnectAsync("tenant-t1", "tenant-t1");
        await _fixture.WaitUntilIdleAsync();
        _fixture.ForgetRequests();
        foreach (var type in new[] { ResourceTypes.Cluster, ResourceTypes.Listener })
        {
            await proxy.SubscribeAsync(type);
            await proxy.AckAsync(await proxy.ReceiveAsync());
        }

        await _fixture.WaitUntilIdleAsync();
        _fixture.Requests().Where(r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal) && r.Verb != "watch").Should().BeEmpty();
    }

    [Fact]
    [Trait("Threat", "xds-events")]
    public async Task Rejected_stream_is_reported_on_its_tenant_without_unknown_node_ids()
    {
        using (var wrong = await ConnectAsync("tenant-t2", "tenant-t1"))
        {
            await wrong.SubscribeAsync(ResourceTypes.Listener);
            (await wrong.EndAsync()).StatusCode.Should().Be(Grpc.Core.StatusCode.PermissionDenied);
        }

        var reported = await EventAsync(_fixture.Management, "default", "t1", "Warning ProxyDenied");
        reported
            .Message.Should()
            .Be(
                "Rejected xDS stream from 127.0.0.1: its certificate is for tenant-t2. "
                    + "If it is a proxy of this tenant, mount the current Secret envoy-xds-client of tenant-t1; else identify the client."
            );

        for (var i = 0; i < 50; i++)
        {
            using var madeUp = await ConnectAsync("tenant-t2", $"made-up-{i}");
            await madeUp.SubscribeAsync(ResourceTypes.Listener);
            await madeUp.EndAsync();
        }

        await EventAsync(_fixture.Management, "default", "t2", "Warning ProxyDenied");
        await _fixture.WaitUntilIdleAsync();
        var events = (await _fixture.Management.ListAsync<Corev1Event>("default")).Where(e => e.Reason == "ProxyDenied").ToList();
        events.Select(e => $"{e.InvolvedObject.Name} {e.Count}").Should().BeEquivalentTo("t1 1", "t2 1");
        events.Should().NotContain(e => e.Message.Contains("made-up"));
        (await MetricAsync("kubelb_manager_xds_denied_streams_total")).Should().Be("51");
    }

    [Fact]
    [Trait("Threat", "xds-debug-page")]
    public async Task Debug_page_shows_the_proxies_of_each_tenant_and_no_secret()
    {
        using var proxy = await ConnectAsync("tenant-t2", "tenant-t2");
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        var first = await proxy.ReceiveAsync();
        var pending = await TypesAsync(t => t["pending"]!.GetValue<bool>());
        (pending["type"]!.GetValue<string>(), pending["wildcard"]!.GetValue<bool>()).Should().Be(("cluster", true));
        await proxy.AckAsync(first);
        var acknowledged = await TypesAsync(t => t["acknowledgedNonce"]!.GetValue<string>() == first.Nonce);
        acknowledged["acknowledgedVersion"]!.GetValue<string>().Should().Be(first.SystemVersionInfo);

        var all = await DebugPageAsync("");
        all["tenants"]!.AsArray().Select(t => t!["node"]!.GetValue<string>()).Should().Equal("tenant-t1", "tenant-t2");
        all["tenants"]![0]!["resources"]!["cluster"]!.GetValue<int>().Should().Be(2);
        all.ToJsonString().Should().NotContain("PRIVATE KEY").And.NotContain("nodePort");
        (await DebugPageAsync("?tenant=nobody"))["tenants"]!.AsArray().Should().BeEmpty();

        // The stream of the test has one type; that of the stand-in also has endpoints.
        Task<JsonNode> TypesAsync(Func<JsonNode, bool> condition) =>
            Eventually.GetAsync(
                "the stream's state",
                async () =>
                    (await DebugPageAsync("?tenant=t2"))["tenants"]![0]!["proxies"]!
                        .AsArray()
                        .SelectMany(p => p!["streams"]!.AsArray())
                        .Where(s => s!["types"]!.AsArray().Count == 1)
                        .Select(s => s!["types"]![0]!)
                        .FirstOrDefault(condition)!,
                t => t is not null
            );
    }

    private async Task<RawProxy> ConnectAsync(string certificateOf, string node)
    {
        var secret = await _fixture.Management.WaitAsync<V1Secret>(certificateOf, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        var certificate = X509Certificate2.CreateFromPem(
            Encoding.UTF8.GetString(secret.Data["tls.crt"]),
            Encoding.UTF8.GetString(secret.Data["tls.key"])
        );
        return new RawProxy(_fixture.Sandbox.Manager.Host!.Services.GetRequiredService<XdsEndpoint>().Address!, node, certificate);
    }

    private async Task<Route> RouteAsync(string origin, Func<Condition, bool> condition) =>
        (
            await Eventually.GetAsync(
                $"the Route of {origin} has the condition",
                async () =>
                    (await _fixture.Management.ListAsync<Route>(Tenant)).FirstOrDefault(r =>
                        r.Metadata.Labels[Labels.OriginName] == origin
                    ),
                r => r?.Status?.Conditions?.Find(c => c.Type == RouteConditions.Programmed) is { } programmed && condition(programmed),
                r =>
                    r is null
                        ? "none"
                        : string.Join("; ", (r.Status?.Conditions ?? []).Select(c => $"{c.Type} {c.Status} {c.Reason} {c.Message}"))
            )
        )!;

    private static Condition Programmed(Route route) => route.Status!.Conditions!.Single(c => c.Type == RouteConditions.Programmed);

    private static async Task<Corev1Event> EventAsync(TestCluster cluster, string @namespace, string name, string typeAndReason) =>
        (
            await Eventually.GetAsync(
                $"an Event {typeAndReason} of {name}",
                () => cluster.ListAsync<Corev1Event>(@namespace),
                events => events.Any(Matches(name, typeAndReason)),
                events => string.Join("; ", events.Select(e => $"{e.InvolvedObject.Name} {e.Type} {e.Reason} {e.Message}"))
            )
        ).First(Matches(name, typeAndReason));

    private static Func<Corev1Event, bool> Matches(string name, string typeAndReason) =>
        e => e.InvolvedObject.Name == name && $"{e.Type} {e.Reason}" == typeAndReason;

    private async Task<JsonNode> DebugPageAsync(string query)
    {
        using var http = new HttpClient();
        var probe = _fixture.Sandbox.Manager.Host!.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        return JsonNode.Parse(await http.GetStringAsync($"http://{probe}/debug/xds{query}"))!;
    }

    private async Task<string> MetricAsync(string name)
    {
        using var text = new MemoryStream();
        await _fixture.Sandbox.Manager.Host!.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return Encoding
            .UTF8.GetString(text.ToArray())
            .Split('\n')
            .Single(line => line.StartsWith(name, StringComparison.Ordinal))
            .Split(' ')[1];
    }
}
