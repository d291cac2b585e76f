using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary><c>kubelb trace</c> of what docs/tenant/troubleshooting.md lists, in a running system.</summary>
public sealed partial class TraceTests : IAsyncLifetime
{
    private static readonly GoldenFolder Cases = new("KubeLB.EndToEnd", "traces", "traces");

    private SystemFixture _fixture = null!;
    private ClusterConnections _clusters = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        var tenant = _fixture.Sandbox.Tenants[0].Cluster;
        _clusters = ClusterConnections.Open(tenant.CreateClient("trace"), _fixture.Sandbox.Management.CreateClient("trace"));
    }

    public async ValueTask DisposeAsync()
    {
        await _clusters.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Trace_names_the_hop_at_which_requests_stop_and_the_remedy()
    {
        Cases.CheckOrphans();
        var cases = Cases.Cases();
        foreach (var name in cases)
        {
            await _fixture.Tenant.ApplyAsync(Cases.Input(name));
        }

        await _fixture.WaitUntilIdleAsync();
        foreach (var name in cases)
        {
            var arguments = Command().Match(Cases.Input(name));
            var target = TraceTarget.Parse(arguments.Groups["object"].Value, arguments.Groups["namespace"].Value, out _)!;
            Cases.Check(name, await TraceAsync(target, t => t.Break is not { State: HopState.Waiting }));
        }
    }

    [Fact]
    public async Task Trace_names_problems_of_the_installation()
    {
        await _fixture.ApplyBasicExampleAsync();
        var route = new TraceTarget(HttpRoute.KindName, "default", "api-route");

        await _fixture.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"gatewayAPI":{"class":"nope"}}}""");
        (await TraceAsync(route, t => Stops("GatewayClassNotFound")(t) && t.Break!.Title == "Programmed"))
            .Should()
            .Contain("Requests stop at Gateways > Gateway default/my-gateway > Programmed (GatewayClassNotFound)")
            .And.Contain("Envoy Gateway > Config GatewayClassReady: GatewayClass nope does not exist");
        await _fixture.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"gatewayAPI":{"class":null}}}""");
        await TraceAsync(route, t => t.Break is null);

        await _fixture.Management.PatchAsync<Tenant>(
            "",
            _fixture.Sandbox.Tenants[0].Name,
            """{"spec":{"allowedDomains":["*.example.org"]}}"""
        );
        (await TraceAsync(route, Stops("HostnameNotAllowed"))).Should().Contain("Use a hostname of *.example.org");
        await _fixture.Management.PatchAsync<Tenant>("", _fixture.Sandbox.Tenants[0].Name, """{"spec":{"allowedDomains":null}}""");
        await TraceAsync(route, t => t.Break is null);

        foreach (var node in await _fixture.Tenant.ListAsync<V1Node>())
        {
            await _fixture.Tenant.DeleteAsync<V1Node>("", node.Name());
        }

        (await TraceAsync(route, Stops("NoAddresses"))).Should().Contain("--node-address-type");
    }

    [Fact]
    public async Task Trace_with_one_kubeconfig_names_what_it_cannot_see()
    {
        await _fixture.ApplyBasicExampleAsync();
        var route = new TraceTarget(HttpRoute.KindName, "default", "api-route");
        var full = await TraceAsync(route, t => t.Break is null);
        full.Should().Contain("No problem found on the path.").And.Contain("3 of 3 ready").And.NotContain("?");

        await using var tenantOnly = ClusterConnections.Open(_fixture.Sandbox.Tenants[0].Cluster.CreateClient("trace"), null);
        var tenant = await TraceAsync(route, t => t.Break is null, tenantOnly);
        tenant.Should().Contain("2 ready").And.Contain("Not read: no kubeconfig of the management cluster (--management-kubeconfig).");

        await using var managementOnly = ClusterConnections.Open(null, _fixture.Sandbox.Management.CreateClient("trace"));
        var management = await TraceAsync(route, t => t.Break is null, managementOnly);
        management.Should().Contain("3 of 3 ready").And.Contain("Not read: no kubeconfig of the tenant cluster (--kubeconfig).");
        management.Should().Contain("api.example.com", "the Route has a copy of the object");
    }

    [Fact]
    public async Task Trace_of_a_URL_finds_the_rule_and_a_probe_reaches_a_pod()
    {
        await _fixture.ApplyBasicExampleAsync();
        var run = new TraceRun(_clusters, new TraceSettings());
        var request = new ProbeRequest("GET", []);
        var found = await run.TraceUrlAsync(new Uri("http://api.example.com/users"), request, default);
        found.Should().ContainSingle().Which.Hops[0].Detail.Should().Be("rule 1 matches: PathPrefix /");
        found[0].Target.Name.Should().Be("api-route");

        var probed = await TraceRun.ProbeAsync(found, new Uri("http://api.example.com/users"), request, default);
        probed[0].Hops[^1].Message.Should().Be("It reached a pod.");

        var unserved = await run.TraceUrlAsync(new Uri("https://api.example.com/"), request, default);
        unserved[0].Break!.Message.Should().StartWith("The route attaches to no listener for https://api.example.com.");

        var other = await run.TraceUrlAsync(new Uri("http://other.example.com/"), request, default);
        other[0].Break!.Message.Should().StartWith("No route has hostname other.example.com.");
    }

    private static Func<Trace, bool> Stops(string reason) =>
        trace => trace.Break is { State: HopState.Broken } stop && stop.Reason == reason;

    private async Task<string> TraceAsync(TraceTarget target, Func<Trace, bool> condition, ClusterConnections? clusters = null) =>
        await InspectionText.OfAsync(
            await Eventually.GetAsync(
                $"the trace of {target.Kind} {target.Namespace}/{target.Name} is as expected",
                () => InspectionText.TraceAsync(clusters ?? _clusters, target),
                found => found.All(condition)
            )
        );

    [GeneratedRegex(@"^# trace (?<object>\S+) -n (?<namespace>\S+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Command();
}
