using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The number of API requests that a change costs.</summary>
public sealed class RequestCostTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task New_route_with_new_Service_costs_three_tenant_and_one_management_writes()
    {
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
        await _fixture.SettleAsync();

        var (tenant, management) = _fixture.CcmWrites();
        tenant.Should().HaveCountLessThanOrEqualTo(3, string.Join("; ", tenant));
        tenant.Should().Contain(["create services/", "patch httproutes/other status", "patch gateways/my-gateway status"]);
        management.Should().ContainSingle();
    }

    [Fact]
    public async Task Edited_route_costs_one_write_in_each_cluster()
    {
        await _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["b.example.com"]}}""");
        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Metadata.Generation == 2 && Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await _fixture.SettleAsync();

        var (tenant, management) = _fixture.CcmWrites();
        tenant.Should().Equal("patch httproutes/api-route status");
        management.Should().ContainSingle();
    }

    [Fact]
    public async Task Node_heartbeats_cost_no_write()
    {
        var node = (await _fixture.Tenant.ListAsync<V1Node>()).Single().Name();
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
            await _fixture.Tenant.PatchStatusAsync<V1Node>("", node, new { conditions = new[] { ready } });
        }

        await _fixture.SettleAsync();

        var (tenant, management) = _fixture.CcmWrites();
        tenant.Should().BeEmpty();
        management.Should().BeEmpty();
    }
}
