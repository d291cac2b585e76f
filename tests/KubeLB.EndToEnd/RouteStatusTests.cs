using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>What the operator reads in Routes.</summary>
public sealed class RouteStatusTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private const int Edits = 3;
    private readonly ConcurrentQueue<string> _lies = new();
    private SystemFixture _bed = null!;
    private long _inForce = 1;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Kubectl_shows_at_a_glance_whose_a_route_is_and_whether_it_is_in_force()
    {
        using var kubectl = new KubectlBinary(_bed.Sandbox.Management.KubeconfigYaml);
        await _bed.Tenant.ApplyAsync(
            Documents
                .Route.Replace("api-route", "refused")
                .Replace(
                    "    - backendRefs:",
                    """
                        - filters:
                            - type: ExtensionRef
                              extensionRef:
                                group: example.com
                                kind: Filter
                                name: f
                          backendRefs:
                    """
                )
        );
        await RouteAsync("refused", r => Of(r, RouteConditions.Accepted) is { Status: ConditionStatus.False }, "is refused");

        var table = await kubectl.OkAsync($"get routes -n {Tenant}");
        table.Columns(0).Should().Equal("NAME", "ORIGINNAME", "ORIGINNAMESPACE", "ORIGINRESOURCE", "ACCEPTED", "PROGRAMMED", "AGE");
        Enumerable
            .Range(1, table.Lines.Count - 1)
            .Select(line => string.Join(" ", table.Columns(line).Skip(1).Take(5)))
            .Should()
            .BeEquivalentTo(
                "my-gateway default Gateway.gateway.networking.k8s.io True True",
                "api-route default HTTPRoute.gateway.networking.k8s.io True True",
                "refused default HTTPRoute.gateway.networking.k8s.io False False"
            );
        var wide = await kubectl.OkAsync($"get routes -n {Tenant} -o wide");
        wide.Text.Should().Contain("Refused").And.Contain("default-api-route");
        await kubectl.OkAsync($"wait routes --for=condition=Programmed -n {Tenant} -l kubelb.k8c.io/origin-name=api-route --timeout=5s");
    }

    [Fact]
    public async Task A_reference_to_nothing_is_accepted_but_not_programmed()
    {
        await _bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "lost").Replace("api-backend", "nowhere"));

        var route = await RouteAsync(
            "lost",
            r => Of(r, RouteConditions.Programmed) is { Status: ConditionStatus.False },
            "is not programmed"
        );

        Of(route, RouteConditions.Accepted)!.IsTrue.Should().BeTrue();
        Of(route, RouteConditions.Programmed)!.Reason.Should().Be("BackendNotFound");
        route
            .Status!.Resources!.Route!.Conditions.Should()
            .ContainSingle(c => c.Type == RouteConditions.ResourceAppliedSuccessfully && c.IsTrue);
    }

    [Fact]
    public async Task While_envoy_gateway_lags_no_route_claims_what_is_not_in_force()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters refuse writes on demand");
        var management = (EmbeddedTestCluster)_bed.Sandbox.Management;
        var name = (await _bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
        _inForce = (await _bed.Management.GetAsync<Route>(Tenant, name))!.Metadata.Generation!.Value;
        await using var observation = _bed.Management.Observe<Route>(Tenant, route => See(route, name));
        for (var edit = 1; edit <= Edits; edit++)
        {
            var before = (await _bed.Management.GetAsync<Route>(Tenant, name))!;
            using (
                management.Server.Faults.Add(
                    new FaultRule
                    {
                        Matches = r => r.IsWrite && r.UserAgent == "envoy-gateway",
                        StatusCode = 500,
                        Times = null,
                    }
                )
            )
            {
                await _bed.Tenant.PatchAsync<HttpRoute>(
                    "default",
                    "api-route",
                    $$$"""{"spec":{"hostnames":["v{{{edit}}}.example.com"]}}"""
                );

                // First nothing is said of the edit, then that it is not answered.
                var waiting = await _bed.Management.WaitAsync<Route>(
                    Tenant,
                    name,
                    r => Of(r, RouteConditions.Programmed) is { Status: ConditionStatus.Unknown },
                    "awaits an answer"
                );
                Of(waiting, RouteConditions.Programmed)!.ObservedGeneration.Should().Be(before.Metadata.Generation + 1);
                waiting.Status!.Resources!.Route!.SourceGeneration.Should().Be(edit + 1);
                Volatile.Write(ref _inForce, waiting.Metadata.Generation!.Value);
            }

            await _bed.Management.WaitAsync<Route>(
                Tenant,
                name,
                r => Of(r, RouteConditions.Programmed) is { IsTrue: true },
                $"is programmed after edit {edit}"
            );
        }

        _lies.Should().BeEmpty();
        await Eventually.HoldsAsync("the edits and most answers are seen", () => Task.FromResult(observation.Seen > Edits));
    }

    // What is in force is only raised while Envoy Gateway is silent: a True that came before that would be found.
    private void See(Route route, string name)
    {
        if (route.Name != name)
        {
            return;
        }

        var inForce = Volatile.Read(ref _inForce);
        foreach (
            var condition in (route.Status?.Conditions ?? []).Where(c =>
                c.IsTrue && (c.ObservedGeneration > inForce || c.ObservedGeneration > route.Metadata.Generation)
            )
        )
        {
            _lies.Enqueue($"{condition.Type} is True for generation {condition.ObservedGeneration}, in force is {inForce}");
        }

        // The tenant's side reads this as: Envoy Gateway saw the generated object of that source generation.
        var generated = route.Status?.Resources?.Route;
        var reported =
            generated?.Status?["parents"]?.AsArray().SelectMany(p => ApiJson.Read<RouteParentStatus>(p!.AsObject()).Conditions) ?? [];
        foreach (
            var condition in reported.Where(c => c.ObservedGeneration >= generated!.Generation && generated.SourceGeneration > inForce)
        )
        {
            _lies.Enqueue($"{condition.Type} is reported for source generation {generated!.SourceGeneration}, in force is {inForce}");
        }
    }

    private async Task<Route> RouteAsync(string origin, Func<Route, bool> condition, string what)
    {
        var uid = (await _bed.Tenant.GetAsync<HttpRoute>("default", origin))!.Metadata.Uid;
        return await _bed.Management.WaitAsync(Tenant, uid, condition, what);
    }

    private static Condition? Of(Route route, string type) => route.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
