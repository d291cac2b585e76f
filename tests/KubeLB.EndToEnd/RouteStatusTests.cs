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

/// <summary>Conditions of Routes in the management cluster.</summary>
public sealed class RouteStatusTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private const int Edits = 3;
    private readonly ConcurrentQueue<string> _violations = new();
    private SystemFixture _fixture = null!;
    private long _appliedGeneration = 1;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Kubectl_get_routes_shows_origin_and_conditions()
    {
        using var kubectl = new KubectlBinary(_fixture.Sandbox.Management.KubeconfigYaml);
        await _fixture.Tenant.ApplyAsync(
            Documents
                .Route.Replace("api-route", "rejected")
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
        await RouteAsync("rejected", r => Of(r, RouteConditions.Accepted) is { Status: ConditionStatus.False }, "is rejected");

        var table = await kubectl.OkAsync($"get routes -n {Tenant}");
        table
            .Columns(0)
            .Should()
            .Equal("NAME", "ORIGINNAME", "ORIGINNAMESPACE", "ORIGINRESOURCE", "ACCEPTED", "PROGRAMMED", "SINCE", "AGE");
        Enumerable
            .Range(1, table.Lines.Count - 1)
            .Select(line => string.Join(" ", table.Columns(line).Skip(1).Take(5)))
            .Should()
            .BeEquivalentTo(
                "my-gateway default Gateway.gateway.networking.k8s.io True True",
                "api-route default HTTPRoute.gateway.networking.k8s.io True True",
                "rejected default HTTPRoute.gateway.networking.k8s.io False False"
            );
        Enumerable
            .Range(1, table.Lines.Count - 1)
            .Select(line => table.Columns(line)[6])
            .Should()
            .OnlyContain(age => age.EndsWith('s') || age.EndsWith('m'), "it is the age of condition Programmed");
        var wide = await kubectl.OkAsync($"get routes -n {Tenant} -o wide");
        wide.Text.Should().Contain("UnsupportedValue").And.Contain("default-api-route");
        await kubectl.OkAsync($"wait routes --for=condition=Programmed -n {Tenant} -l kubelb.k8c.io/origin-name=api-route --timeout=5s");
    }

    [Fact]
    public async Task Route_with_missing_Service_is_accepted_but_not_programmed()
    {
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "lost").Replace("api-backend", "nowhere"));

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
    public async Task Route_conditions_report_no_new_generation_while_Envoy_Gateway_lags()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject writes on demand");
        var management = (EmbeddedTestCluster)_fixture.Sandbox.Management;
        var name = (await _fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
        _appliedGeneration = (await _fixture.Management.GetAsync<Route>(Tenant, name))!.Metadata.Generation!.Value;
        await using var observation = _fixture.Management.Observe<Route>(Tenant, route => See(route, name));
        for (var edit = 1; edit <= Edits; edit++)
        {
            var before = (await _fixture.Management.GetAsync<Route>(Tenant, name))!;
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
                await _fixture.Tenant.PatchAsync<HttpRoute>(
                    "default",
                    "api-route",
                    $$$"""{"spec":{"hostnames":["v{{{edit}}}.example.com"]}}"""
                );

                // First the edit is not reported, then as unanswered.
                var waiting = await _fixture.Management.WaitAsync<Route>(
                    Tenant,
                    name,
                    r => Of(r, RouteConditions.Programmed) is { Status: ConditionStatus.Unknown },
                    "waits for Envoy Gateway"
                );
                Of(waiting, RouteConditions.Programmed)!.ObservedGeneration.Should().Be(before.Metadata.Generation + 1);
                waiting.Status!.Resources!.Route!.SourceGeneration.Should().Be(edit + 1);
                Volatile.Write(ref _appliedGeneration, waiting.Metadata.Generation!.Value);
            }

            await _fixture.Management.WaitAsync<Route>(
                Tenant,
                name,
                r => Of(r, RouteConditions.Programmed) is { IsTrue: true },
                $"is programmed after edit {edit}"
            );
        }

        _violations.Should().BeEmpty();
        await Eventually.HoldsAsync(() => Task.FromResult(observation.Seen > Edits), "the edits and most answers are seen");
    }

    // The applied generation is raised only while Envoy Gateway writes no status: an earlier True is detected.
    private void See(Route route, string name)
    {
        if (route.Name != name)
        {
            return;
        }

        var inForce = Volatile.Read(ref _appliedGeneration);
        foreach (
            var condition in (route.Status?.Conditions ?? []).Where(c =>
                c.IsTrue && (c.ObservedGeneration > inForce || c.ObservedGeneration > route.Metadata.Generation)
            )
        )
        {
            _violations.Enqueue($"{condition.Type} is True for generation {condition.ObservedGeneration}, applied is {inForce}");
        }

        // The CCM interprets this as: Envoy Gateway has observed the generated object of that source generation.
        var generated = route.Status?.Resources?.Route;
        var reported =
            generated?.Status?["parents"]?.AsArray().SelectMany(p => ApiJson.Read<RouteParentStatus>(p!.AsObject()).Conditions) ?? [];
        foreach (
            var condition in reported.Where(c => c.ObservedGeneration >= generated!.Generation && generated.SourceGeneration > inForce)
        )
        {
            _violations.Enqueue($"{condition.Type} is reported for source generation {generated!.SourceGeneration}, applied is {inForce}");
        }
    }

    private async Task<Route> RouteAsync(string origin, Func<Route, bool> condition, string what)
    {
        var uid = (await _fixture.Tenant.GetAsync<HttpRoute>("default", origin))!.Metadata.Uid;
        return await _fixture.Management.WaitAsync(Tenant, uid, condition, what);
    }

    private static Condition? Of(Route route, string type) => route.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
