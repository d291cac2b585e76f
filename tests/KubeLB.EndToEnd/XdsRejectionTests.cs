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
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>What the operator and the tenant see when a proxy refuses what it is sent, or is refused itself.</summary>
public sealed class XdsRejectionTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private const string H2c = """{"spec":{"ports":[{"port":8080,"targetPort":8080,"protocol":"TCP","appProtocol":"kubernetes.io/h2c"}]}}""";
    private TestBed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await TestBed.StartAsync(tenants: 2, o => o with { Manager = m => m with { HealthProbeBindAddress = "127.0.0.1:0" } });
        await _bed.ApplyBasicExampleAsync();
        await _bed.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "other-backend"));
        await _bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "other").Replace("api.example.com", "other.example.com").Replace("api-backend", "other-backend"));
        await _bed.Tenant.WaitAsync<HttpRoute>("default", "other", r => Statuses.IsAccepted(r) && Statuses.IsResolved(r), "is accepted and resolved");
        await RouteAsync("other", c => c.IsTrue);
        await RouteAsync("api-route", c => c.IsTrue);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task A_route_says_what_a_proxy_refuses_of_it_until_a_proxy_takes_what_replaces_it()
    {
        using var proxy = await ConnectAsync("tenant-t1", "tenant-t1");
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        var refused = await proxy.ReceiveAsync();
        var cluster = refused.Resources.Select(r => r.Name).Single(n => n.Contains("api-route"));
        var words = $"Error adding/updating cluster(s) {cluster}: no such\n\tthing";
        await proxy.NackAsync(refused, words);

        // Only the route that Envoy names, in Envoy's words, for both sides.
        var route = await RouteAsync("api-route", c => c.Reason == RouteConditions.ProxyRejected);
        Programmed(route).Should().Match<Condition>(c =>
            c.Status == "False" && c.Message == $"Proxy 127.0.0.1 refuses the cluster and goes on with what it had: Error adding/updating cluster(s) {cluster}: no such thing");
        var told = await HttpRouteAsync(c => c is not null);
        told!.Should().Match<Condition>(c => c.Status == "False" && c.Reason == "ProxyRejected" && c.Message.EndsWith($"{cluster}: no such thing"));
        await EventAsync(_bed.Management, Tenant, route.Name, "Warning ProxyRejected");
        await EventAsync(_bed.Tenant, "default", "api-route", "Warning ProxyRejected");

        // Others are taken, and at rest nothing is written.
        await ReconcileCounts.RestAsync(_bed);
        _bed.ForgetRequests();
        await ReconcileCounts.RestAsync(_bed);
        _bed.Writes().Should().BeEmpty();
        Programmed(await RouteAsync("other", _ => true)).IsTrue.Should().BeTrue();

        var page = await DebugPageAsync("?tenant=t1");
        var shown = page["tenants"]!.AsArray().Should().ContainSingle().Subject!["proxies"]!.AsArray()
            .SelectMany(p => p!["streams"]!.AsArray()).SelectMany(s => s!["types"]!.AsArray()).SelectMany(t => t!["rejections"]!.AsArray())
            .Should().ContainSingle().Subject!;
        shown["message"]!.GetValue<string>().Should().Be(words);
        shown["first"]!.AsArray().Select(n => n!.GetValue<string>()).Should().Equal(cluster);

        // What replaces it is taken.
        await _bed.Tenant.PatchAsync<V1Service>("default", "api-backend", H2c);
        var replaced = await proxy.ReceiveAsync();
        replaced.Resources.Should().ContainSingle().Which.Name.Should().Be(cluster);
        await proxy.AckAsync(replaced);

        await RouteAsync("api-route", c => c.IsTrue);
        await HttpRouteAsync(c => c is null);
        await EventAsync(_bed.Management, Tenant, route.Name, "Normal ProxyProgrammed");
        await EventAsync(_bed.Tenant, "default", "api-route", "Normal ProxyProgrammed");
        await Eventually.HoldsAsync("no report is left", async () => (await ReportsAsync()).Count == 0);
        (await DebugPageAsync("")).ToJsonString().Should().NotContain("no such");
    }

    [Fact]
    public async Task Acknowledgements_cost_no_request()
    {
        using var proxy = await ConnectAsync("tenant-t1", "tenant-t1");
        await ReconcileCounts.RestAsync(_bed);
        _bed.ForgetRequests();
        foreach (var type in new[] { ResourceTypes.Cluster, ResourceTypes.Listener })
        {
            await proxy.SubscribeAsync(type);
            await proxy.AckAsync(await proxy.ReceiveAsync());
        }

        await ReconcileCounts.RestAsync(_bed);
        _bed.Requests().Where(r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal) && r.Verb != "watch").Should().BeEmpty();
    }

    [Fact]
    public async Task Endpoints_that_are_refused_are_those_of_every_route_that_shares_them()
    {
        using var proxy = await ConnectAsync("tenant-t1", "tenant-t1");
        var name = _bed.Sandbox.Manager.Host!.Services.GetRequiredService<ResourceCache>().List(Tenant, ResourceTypes.ClusterLoadAssignment).Select(r => r.Name).Order().ToList();
        await proxy.SubscribeAsync(ResourceTypes.ClusterLoadAssignment, [.. name]);
        await proxy.NackAsync(await proxy.ReceiveAsync(), "malformed IP address: x");

        Programmed(await RouteAsync("api-route", c => c.Reason == RouteConditions.ProxyRejected)).Message.Should().Contain("refuses the endpoints").And.EndWith("malformed IP address: x");
        await RouteAsync("other", c => c.Reason == RouteConditions.ProxyRejected);
    }

    [Fact]
    public async Task What_a_proxy_refused_stands_while_the_manager_starts_anew()
    {
        using (var proxy = await ConnectAsync("tenant-t1", "tenant-t1"))
        {
            await proxy.SubscribeAsync(ResourceTypes.Listener);
            var refused = await proxy.ReceiveAsync();
            await proxy.NackAsync(refused, $"Error adding/updating listener(s) {refused.Resources.Select(r => r.Name).Single(n => n.Contains("api-route"))}: port in use");
            await RouteAsync("api-route", c => c.Reason == RouteConditions.ProxyRejected);
        }

        await ReconcileCounts.RestAsync(_bed);
        _bed.ForgetRequests();
        await _bed.RestartManagerAsync();
        await ReconcileCounts.RestAsync(_bed);

        Programmed(await RouteAsync("api-route", _ => true)).Reason.Should().Be(RouteConditions.ProxyRejected);
        _bed.Writes().Should().BeEmpty();
    }

    [Fact]
    public async Task What_a_replica_reported_ends_when_it_renews_its_report_no_more()
    {
        var route = await RouteAsync("other", c => c.IsTrue);
        await _bed.Management.CreateAsync(new V1Lease
        {
            Metadata = new V1ObjectMeta
            {
                Name = "kubelb-manager-xds-of-another",
                NamespaceProperty = "kubelb",
                Labels = new Dictionary<string, string> { ["kubelb.k8c.io/xds-report"] = "true" },
                Annotations = new Dictionary<string, string>
                {
                    ["kubelb.k8c.io/xds-report"] = $$"""{"rejections":[{"namespace":"tenant-t1","route":"{{route.Name}}","proxy":"10.0.0.7","type":"listener","message":"port in use"}]}""",
                },
            },
            Spec = new V1LeaseSpec { HolderIdentity = "another", LeaseDurationSeconds = 3 },
        });

        Programmed(await RouteAsync("other", c => c.Reason == RouteConditions.ProxyRejected)).Message
            .Should().Be("Proxy 10.0.0.7 refuses the listener and goes on with what it had: port in use");
        await RouteAsync("other", c => c.IsTrue);
        (await ReportsAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_refused_stream_is_told_to_the_tenant_that_it_concerns_and_made_up_node_ids_do_not_flood_anybody()
    {
        using (var wrong = await ConnectAsync("tenant-t2", "tenant-t1"))
        {
            await wrong.SubscribeAsync(ResourceTypes.Listener);
            (await wrong.EndAsync()).StatusCode.Should().Be(Grpc.Core.StatusCode.PermissionDenied);
        }

        var told = await EventAsync(_bed.Management, "default", "t1", "Warning ProxyRefused");
        told.Message.Should().Be(
            "A client at 127.0.0.1 asked for the configuration of this tenant's proxies with the certificate of tenant-t2, and was refused. "
            + "If it is one of them, mount Secret envoy-xds-client of namespace tenant-t1; else find out who uses that certificate.");

        for (var i = 0; i < 50; i++)
        {
            using var madeUp = await ConnectAsync("tenant-t2", $"made-up-{i}");
            await madeUp.SubscribeAsync(ResourceTypes.Listener);
            await madeUp.EndAsync();
        }

        await EventAsync(_bed.Management, "default", "t2", "Warning ProxyRefused");
        await ReconcileCounts.RestAsync(_bed);
        var events = (await _bed.Management.ListAsync<Corev1Event>("default")).Where(e => e.Reason == "ProxyRefused").ToList();
        events.Select(e => $"{e.InvolvedObject.Name} {e.Count}").Should().BeEquivalentTo("t1 1", "t2 1");
        events.Should().NotContain(e => e.Message.Contains("made-up"));
        (await MetricAsync("kubelb_manager_xds_refused_streams_total")).Should().Be("51");
        (await ReportsAsync()).Should().ContainSingle().Which.Metadata.Annotations.Values.Single().Should().NotContain("made-up");
    }

    [Fact]
    public async Task The_debug_page_shows_each_tenants_proxies_and_no_secret()
    {
        using var proxy = await ConnectAsync("tenant-t2", "tenant-t2");
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        var first = await proxy.ReceiveAsync();
        var pending = await TypesAsync(t => t["pending"]!.GetValue<bool>());
        (pending["type"]!.GetValue<string>(), pending["wildcard"]!.GetValue<bool>()).Should().Be(("cluster", true));
        await proxy.AckAsync(first);
        var taken = await TypesAsync(t => t["acknowledgedNonce"]!.GetValue<string>() == first.Nonce);
        taken["acknowledgedVersion"]!.GetValue<string>().Should().Be(first.SystemVersionInfo);

        var all = await DebugPageAsync("");
        all["tenants"]!.AsArray().Select(t => t!["node"]!.GetValue<string>()).Should().Equal("tenant-t1", "tenant-t2");
        all["tenants"]![0]!["resources"]!["cluster"]!.GetValue<int>().Should().Be(2);
        all.ToJsonString().Should().NotContain("PRIVATE KEY").And.NotContain("nodePort");
        (await DebugPageAsync("?tenant=nobody"))["tenants"]!.AsArray().Should().BeEmpty();

        // Its own stream is the one that names no endpoints: the stand-in's does.
        Task<JsonNode> TypesAsync(Func<JsonNode, bool> condition) => Eventually.GetAsync(
            "the stream's state",
            async () => (await DebugPageAsync("?tenant=t2"))["tenants"]![0]!["proxies"]!.AsArray()
                .SelectMany(p => p!["streams"]!.AsArray()).Where(s => s!["types"]!.AsArray().Count == 1).Select(s => s!["types"]![0]!).FirstOrDefault(condition)!,
            t => t is not null);
    }

    private async Task<RawProxy> ConnectAsync(string certificateOf, string node)
    {
        var secret = await _bed.Management.WaitAsync<V1Secret>(certificateOf, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        var certificate = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(secret.Data["tls.crt"]), Encoding.UTF8.GetString(secret.Data["tls.key"]));
        return new RawProxy(_bed.Sandbox.Manager.Host!.Services.GetRequiredService<XdsEndpoint>().Address!, node, certificate);
    }

    private async Task<Route> RouteAsync(string origin, Func<Condition, bool> condition) => (await Eventually.GetAsync(
        $"the Route of {origin} says so",
        async () => (await _bed.Management.ListAsync<Route>(Tenant)).FirstOrDefault(r => r.Metadata.Labels[Labels.OriginName] == origin),
        r => r?.Status?.Conditions?.Find(c => c.Type == RouteConditions.Programmed) is { } programmed && condition(programmed),
        r => r is null ? "none" : string.Join("; ", (r.Status?.Conditions ?? []).Select(c => $"{c.Type} {c.Status} {c.Reason} {c.Message}"))))!;

    private static Condition Programmed(Route route) => route.Status!.Conditions!.Single(c => c.Type == RouteConditions.Programmed);

    private Task<Condition?> HttpRouteAsync(Func<Condition?, bool> condition) => Eventually.GetAsync(
        "the tenant's route says so",
        async () => Statuses.Condition((await _bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!, "kubelb.k8c.io/ProxyProgrammed"),
        condition);

    private static async Task<Corev1Event> EventAsync(TestCluster cluster, string @namespace, string name, string typeAndReason) => (await Eventually.GetAsync(
        $"an Event {typeAndReason} of {name}",
        () => cluster.ListAsync<Corev1Event>(@namespace),
        events => events.Any(Matches(name, typeAndReason)),
        events => string.Join("; ", events.Select(e => $"{e.InvolvedObject.Name} {e.Type} {e.Reason} {e.Message}")))).First(Matches(name, typeAndReason));

    private static Func<Corev1Event, bool> Matches(string name, string typeAndReason) => e => e.InvolvedObject.Name == name && $"{e.Type} {e.Reason}" == typeAndReason;

    private async Task<IReadOnlyList<V1Lease>> ReportsAsync() =>
        [.. (await _bed.Management.ListAsync<V1Lease>("kubelb")).Where(l => l.Metadata.Labels?.ContainsKey("kubelb.k8c.io/xds-report") == true)];

    private async Task<JsonNode> DebugPageAsync(string query)
    {
        using var http = new HttpClient();
        var probe = _bed.Sandbox.Manager.Host!.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        return JsonNode.Parse(await http.GetStringAsync($"http://{probe}/debug/xds{query}"))!;
    }

    private async Task<string> MetricAsync(string name)
    {
        using var text = new MemoryStream();
        await _bed.Sandbox.Manager.Host!.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray()).Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ')[1];
    }
}
