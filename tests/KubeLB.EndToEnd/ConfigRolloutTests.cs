using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A change of the Config that replaces the Envoys of all tenants.</summary>
public sealed class ConfigRolloutTests
{
    [Fact]
    public async Task Bootstrap_change_under_load_fails_no_request_of_any_tenant()
    {
        await using var fixture = await SystemFixture.StartAsync(tenants: 2, proxies: ProxyKind.Envoy);
        await Task.WhenAll(fixture.ApplyBasicExampleAsync(), fixture.ApplyBasicExampleAsync(tenant: 1));
        var before = await Task.WhenAll(RolledOutAsync(fixture, "t1", ""), RolledOutAsync(fixture, "t2", ""));
        await using var first = await GatewayLoad.StartAsync(fixture, perSecond: 100);
        await using var second = await GatewayLoad.StartAsync(fixture, perSecond: 100, tenant: 1);

        await fixture.ConfigureProxiesAsync("""{"overloadManager":{"enabled":true,"maxActiveDownstreamConnections":4321}}""");
        var after = await Task.WhenAll(RolledOutAsync(fixture, "t1", "4321"), RolledOutAsync(fixture, "t2", "4321"));

        after.Should().NotIntersectWith(before);
        (await first.StopAsync()).Should().BeEmpty();
        (await second.StopAsync()).Should().BeEmpty();
    }

    // Returns the name of the only pod, whose bootstrap contains the text.
    private static async Task<string> RolledOutAsync(SystemFixture fixture, string tenant, string text)
    {
        var (@namespace, name) = ($"tenant-{tenant}", $"envoy-tenant-{tenant}");
        var seen = await Eventually.GetAsync(
            $"the proxy of {tenant} is rolled out and no other is left",
            async () =>
                (
                    Deployment: await fixture.Management.GetAsync<V1Deployment>(@namespace, name),
                    Pods: await fixture.Management.ListAsync<V1Pod>(@namespace)
                ),
            s =>
                s.Deployment is { } d
                && d.Status?.ObservedGeneration == d.Metadata.Generation
                && d.Status is { Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1 }
                && s.Pods is [var pod]
                && pod.Spec.Containers[0].Args.Any(a => a.Contains(text, StringComparison.Ordinal))
        );
        return seen.Pods[0].Name();
    }
}
