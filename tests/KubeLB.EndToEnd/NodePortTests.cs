using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>The node ports that a tenant's Services may have; without Envoy Gateway and without running pods.</summary>
public sealed class NodePortTests : IAsyncLifetime
{
    private const string Ns = BareManagement.TenantNamespace;
    private BareManagement _bare = null!;

    public async ValueTask InitializeAsync() => _bare = await BareManagement.StartAsync();

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    [Trait("Threat", "node-ports")]
    public async Task Route_with_a_node_port_outside_of_the_permitted_range_is_rejected_until_it_is_permitted()
    {
        var manager = await _bare.StartManagerAsync();
        var cache = manager.Services.GetRequiredService<ResourceCache>();
        await _bare.AddTenantAsync(manager);
        await _bare.SetAddressesAsync("10.7.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(Ns));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(Ns, "usual"));
        var route = CcmRoutes.Http(Ns, "web");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = 6443);

        await _bare.Objects.CreateAsync(route);

        await AppliedAsync(c =>
            c.Status == "False"
            && c.Message
                == "Service default/web: nodePort 6443 is not permitted. Use one of 30000-32767, or ask the administrator of the "
                    + "management cluster to change addresses.nodePorts."
        );
        (await _bare.Objects.GetAsync<HttpRoute>(Ns, "default-web")).Should().BeNull();
        await Eventually.HoldsAsync(() => IsServed(cache, 30080), "the other route is served");
        IsServed(cache, 6443).Should().BeFalse();

        await SetNodePortsAsync("30000-32767,6443");
        await AppliedAsync(c => c.Status == "True");
        await Eventually.HoldsAsync(() => IsServed(cache, 6443), "it is served");

        await SetNodePortsAsync(null);
        await AppliedAsync(c => c.Status == "False");
        await _bare.Objects.WaitGoneAsync<HttpRoute>(Ns, "default-web");
        await Eventually.HoldsAsync(() => !IsServed(cache, 6443), "it is no longer served");
        IsServed(cache, 30080).Should().BeTrue();
    }

    [Fact]
    public async Task Node_port_that_is_no_longer_permitted_is_not_served_before_the_leader_has_rejected_the_route()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can fail writes");
        var manager = await _bare.StartManagerAsync();
        var cache = manager.Services.GetRequiredService<ResourceCache>();
        await _bare.AddTenantAsync(manager);
        await _bare.SetAddressesAsync("10.7.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(Ns));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(Ns, "web"));
        await AppliedAsync(c => c.Status == "True");
        await Eventually.HoldsAsync(() => IsServed(cache, 30080), "the route is served");
        using var failure = ((EmbeddedTestCluster)_bare.Cluster).Server.Faults.Add(
            new FaultRule
            {
                Matches = r => r is { UserAgent: "manager", IsWrite: true, Resource: "services" or "httproutes" or "routes" },
                StatusCode = 500,
                Times = null,
            }
        );

        await SetNodePortsAsync("31000-32767");

        await Eventually.HoldsAsync(() => !IsServed(cache, 30080), "it is no longer served");
        (await _bare.Objects.GetAsync<V1Service>(Ns, "default-web-web")).Should().NotBeNull();
    }

    private static bool IsServed(ResourceCache cache, int nodePort) =>
        cache.Find(Ns, ResourceTypes.ClusterLoadAssignment, $"nodeport-{nodePort}") is not null;

    private Task<Route> AppliedAsync(Func<Condition, bool> condition) =>
        _bare.Objects.WaitAsync<Route>(
            Ns,
            "web",
            r => r.Status?.Resources?.Route?.Conditions?.Any(c => c.Type == "ResourceAppliedSuccessfully" && condition(c)) == true,
            "has the condition"
        );

    private Task<Tenant> SetNodePortsAsync(string? nodePorts) =>
        _bare.Objects.PatchAsync<Tenant>(
            "",
            "t1",
            new JsonObject { ["spec"] = new JsonObject { ["addresses"] = new JsonObject { ["nodePorts"] = nodePorts } } }.ToJsonString()
        );
}
