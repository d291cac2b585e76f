using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>What a change costs in requests to the API servers.</summary>
public sealed class CostTests : IAsyncLifetime
{
    private SystemFixture _bed = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
        await _bed.SettleAsync();
        _bed.ForgetRequests();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task A_new_route_with_a_new_service_costs_three_writes_at_home_and_one_in_the_management_cluster()
    {
        await _bed.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "other-backend"));
        await _bed.Tenant.ApplyAsync(
            Documents
                .Route.Replace("api-route", "other")
                .Replace("api.example.com", "other.example.com")
                .Replace("api-backend", "other-backend")
        );
        await _bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "other",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await _bed.SettleAsync();

        var (tenant, management) = _bed.CcmWrites();
        tenant.Should().HaveCountLessThanOrEqualTo(3, string.Join("; ", tenant));
        tenant.Should().Contain(["create services/", "patch httproutes/other status", "patch gateways/my-gateway status"]);
        management.Should().ContainSingle();
    }

    [Fact]
    public async Task An_edited_route_costs_one_write_on_either_side()
    {
        await _bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["b.example.com"]}}""");
        await _bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Metadata.Generation == 2 && Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await _bed.SettleAsync();

        var (tenant, management) = _bed.CcmWrites();
        tenant.Should().Equal("patch httproutes/api-route status");
        management.Should().ContainSingle();
    }

    [Fact]
    public async Task Heartbeats_of_nodes_cost_nothing()
    {
        var node = (await _bed.Tenant.ListAsync<V1Node>()).Single().Name();
        for (var beat = 0; beat < 10; beat++)
        {
            var ready = new V1NodeCondition
            {
                Type = "Ready",
                Status = "True",
                Reason = "KubeletReady",
                Message = "kubelet is posting ready status",
                LastHeartbeatTime = DateTime.UtcNow.AddSeconds(beat),
                LastTransitionTime = DateTime.UnixEpoch,
            };
            await _bed.Tenant.PatchStatusAsync<V1Node>("", node, new { conditions = new[] { ready } });
        }

        await _bed.SettleAsync();

        var (tenant, management) = _bed.CcmWrites();
        tenant.Should().BeEmpty();
        management.Should().BeEmpty();
    }
}
