using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Hosting;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Traces of changes across both processes, as an OTLP receiver gets them.</summary>
public sealed class ChangeTracingTests(TracedSystem system, ITestOutputHelper output) : IClassFixture<TracedSystem>
{
    private const string Ns = "tenant-t1";
    private const string Change = "change HTTPRoute";
    private const string Generate = "generate HTTPRoute";

    private readonly OtlpReceiver _receiver = system.Receiver;
    private readonly SystemFixture _fixture = system.Fixture;

    [Fact]
    public async Task Edit_with_a_new_backend_has_one_trace_of_both_processes_that_ends_with_the_status()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can delay writes");
        await _fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "other-backend"));

        // A node port that is allocated before the first reconcile of the route needs no wait.
        using var delay = ((EmbeddedTestCluster)_fixture.Sandbox.Tenants[0].Cluster).Server.Faults.Add(
            new FaultRule
            {
                Matches = r => r is { Verb: "create", Resource: "services" },
                Delay = TimeSpan.FromSeconds(0.5),
                Times = null,
            }
        );
        var generation = await EditAsync("""{"spec":{"rules":[{"backendRefs":[{"name":"other-backend","port":8080}]}]}}""");

        var root = await RootAsync(Change, generation);
        var spans = await TraceAsync(root.TraceId);
        root.ParentId.Should().BeEmpty();
        root.Service.Should().Be("kubelb-ccm");
        root.Attributes.Should()
            .Contain("kubelb.tenant", "t1")
            .And.Contain("k8s.namespace.name", "default")
            .And.Contain("kubelb.object.kind", "HTTPRoute")
            .And.Contain("kubelb.object.name", "api-route")
            .And.Contain("kubelb.result", "reported");
        Child(root, "wait for node ports").Service.Should().Be("kubelb-ccm");
        var write = spans.Single(s => s.Name == "patch Route");
        Parent(write).Name.Should().Be("reconcile httproute");
        Parent(Parent(write)).Should().Be(root);
        write.Attributes.Should().Contain("kubelb.cluster", "management");

        var generate = Child(write, Generate);
        generate.Service.Should().Be("kubelb-manager");
        generate
            .Attributes.Should()
            .Contain("kubelb.tenant", "t1")
            .And.Contain("kubelb.source.name", "api-route")
            .And.Contain("kubelb.result", "reported");
        Child(generate, "wait for proxies").End.Should().BeLessThanOrEqualTo(Child(generate, "wait for Envoy Gateway").Start);
        foreach (var name in new[] { "create Service", "patch HTTPRoute", "patch Route/status" })
        {
            var written = spans.First(s => s.Service == "kubelb-manager" && s.Name == name);
            Parent(written).Name.Should().Be("reconcile route");
            Parent(Parent(written)).Should().Be(generate);
            Parent(written).Attributes.Should().ContainKey("kubelb.queue.duration");
        }

        var status = spans.Last(s => s.Name == "patch HTTPRoute/status");
        status.Service.Should().Be("kubelb-ccm");
        status.Attributes.Should().Contain("kubelb.cluster", "tenant");
        Parent(Parent(status)).Should().Be(root);

        // The CCM can see the manager's status before the manager gets the response of its write.
        spans.Where(s => s.Service == root.Service).Max(s => s.End).Should().Be(root.End);
        root.End.Should().BeGreaterThanOrEqualTo(status.End);
        spans.Should().OnlyContain(s => s.Status == 0);

        ReceivedSpan Parent(ReceivedSpan span) => spans.Single(s => s.SpanId == span.ParentId);
        ReceivedSpan Child(ReceivedSpan parent, string name) => spans.Single(s => s.ParentId == parent.SpanId && s.Name == name);
    }

    [Fact]
    public async Task Restart_of_both_controllers_starts_no_trace()
    {
        await _fixture.WaitUntilIdleAsync();
        await _fixture.StopCcmAsync();
        await _fixture.StopManagerAsync();
        var before = _receiver.Spans.Count;

        await _fixture.StartManagerAsync();
        await _fixture.StartCcmAsync();
        await _fixture.WaitUntilIdleAsync();

        // The stop of a controller sends what is queued.
        await _fixture.StopCcmAsync();
        await _fixture.StopManagerAsync();
        _receiver.Spans.Skip(before).Should().BeEmpty();
        await _fixture.StartManagerAsync();
        await _fixture.StartCcmAsync();
    }

    [Fact]
    public async Task Context_is_part_of_a_write_and_is_removed_by_a_CCM_without_tracing()
    {
        await EditAsync("""{"spec":{"hostnames":["b.example.com"]}}""");
        var route = await RouteAsync();
        route.Metadata.Annotations[Annotations.TraceParent].Should().MatchRegex("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$");
        (await GeneratedAsync()).Metadata.Annotations.Should().NotContainKey(Annotations.TraceParent);

        await system.RestartCcmAsync(traces: false);
        await _fixture.WaitUntilIdleAsync();
        (await RouteAsync()).Metadata.Annotations.Should().Contain(route.Metadata.Annotations, "the annotation is no reason for a write");

        await EditAsync("""{"spec":{"hostnames":["c.example.com"]}}""");
        route = await RouteAsync();
        route.Metadata.Annotations.Should().NotContainKey(Annotations.TraceParent);
        (await RootAsync(Generate, route.Metadata.Generation!.Value))
            .ParentId.Should()
            .BeEmpty("the manager traces the changes of CCMs without tracing by its own ratio");
        await system.RestartCcmAsync(traces: true);
    }

    [Fact]
    [Trait("Threat", "trace-context")]
    public async Task Invalid_context_of_a_tenant_is_ignored()
    {
        await _fixture.StopCcmAsync();
        foreach (
            var context in new[]
            {
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                $"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01{new string('x', 10_000)}4736",
            }
        )
        {
            var host = $"h{context.Length}.example.com";
            var patched = await _fixture.Management.PatchAsync<Route>(
                Ns,
                (await RouteAsync()).Name,
                """
                {"metadata":{"annotations":{"KEY":"VALUE"}},"spec":{"source":{"kubernetes":{"resource":{"spec":{"hostnames":["HOST"]}}}}}}
                """.Replace("KEY", Annotations.TraceParent).Replace("VALUE", context).Replace("HOST", host)
            );

            var generate = await RootAsync(Generate, patched.Metadata.Generation!.Value);
            generate.ParentId.Should().BeEmpty();
            generate.TraceId.Should().NotBe("4bf92f3577b34da6a3ce929d0e0e4736");
            generate.ToString().Should().NotContain("4736");
            var generated = await GeneratedAsync();
            generated.Spec!.Hostnames.Should().Equal(host);
            generated.Metadata.Annotations.Values.Should().NotContain(value => value.Contains("4736", StringComparison.Ordinal));
        }

        await _fixture.StartCcmAsync();
    }

    // Returns the generation, after its status.
    private async Task<long> EditAsync(string patch)
    {
        var edited = await _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", patch);
        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Metadata.Generation == edited.Metadata.Generation && Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        return edited.Metadata.Generation!.Value;
    }

    private async Task<Route> RouteAsync() =>
        (await _fixture.Management.ListAsync<Route>(Ns)).Single(r => r.Metadata.Labels[Labels.OriginName] == "api-route");

    private async Task<HttpRoute> GeneratedAsync() => (await _fixture.Management.ListAsync<HttpRoute>(Ns)).Single();

    private Task<ReceivedSpan> RootAsync(string name, long generation) =>
        Eventually.GetAsync(
            $"the receiver has \"{name}\" of generation {generation}",
            () => Task.FromResult(Root(name, generation)),
            root => root is not null,
            _ => string.Join('\n', _receiver.Spans)
        )!;

    private ReceivedSpan? Root(string name, long generation) =>
        _receiver.Spans.LastOrDefault(s => s.Name == name && s.Attributes["kubelb.object.generation"] == $"{generation}");

    // Both processes send once per second.
    private async Task<IReadOnlyList<ReceivedSpan>> TraceAsync(string traceId)
    {
        await Eventually.HoldsAsync(
            () => Spans().Any(s => s.Name == Generate) && Spans().Any(s => s.Name == Change),
            "both processes have sent their part",
            () => string.Join('\n', Spans())
        );
        foreach (var span in Spans())
        {
            output.WriteLine(span.ToString());
        }

        return Spans();

        List<ReceivedSpan> Spans() => [.. _receiver.Spans.Where(s => s.TraceId == traceId).OrderBy(s => s.Start)];
    }
}

/// <summary>
/// A system with a receiver of traces: the CCM sends them by gRPC, the manager by HTTP. Each test leaves both controllers running.
/// </summary>
public sealed class TracedSystem : IAsyncLifetime
{
    private bool _ccmTraces = true;

    internal OtlpReceiver Receiver { get; private set; } = null!;

    internal SystemFixture Fixture { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Receiver = await OtlpReceiver.StartAsync();
        var http = new TracingOptions(Receiver.Http, 1) { IsHttp = true };
        var grpc = new TracingOptions(Receiver.Grpc, 1);

        // Read at each start of a controller.
        Fixture = await SystemFixture.StartAsync(configure: options =>
            options with
            {
                Ccm = ccm => ccm with { Tracing = _ccmTraces ? grpc : null },
                Manager = manager => manager with { Tracing = http },
            }
        );
        await Fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Fixture.DisposeAsync();
        await Receiver.DisposeAsync();
    }

    internal Task RestartCcmAsync(bool traces)
    {
        _ccmTraces = traces;
        return Fixture.RestartCcmAsync();
    }
}
