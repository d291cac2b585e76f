using Envoy.Config.Endpoint.V3;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>A tenant with more endpoints than the limit; without Envoy Gateway and without running pods.</summary>
public sealed class EndpointLimitTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;
    private BareManagement _bare = null!;

    public async ValueTask InitializeAsync() => _bare = await BareManagement.StartAsync();

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Node_ports_beyond_the_limit_have_no_endpoints_and_are_reported()
    {
        var manager = await _bare.StartManagerAsync(configure: services =>
            services.AddSingleton(
                new ManagerOptions
                {
                    EnableGatewayApi = true,
                    ListenAddress = "127.0.0.1:0",
                    MetricsAddress = "0",
                    HealthProbeBindAddress = "0",
                    EndpointBytes = 100,
                }
            )
        );
        var cache = manager.Services.GetRequiredService<ResourceCache>();
        await _bare.AddTenantAsync(manager);
        await _bare.SetAddressesAsync("10.7.0.1", "10.7.0.2", "10.7.0.3");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcceptedAsync(c => c.Status == "True");
        var other = CcmRoutes.Http(TenantNamespace, "other");
        other.Change(k => k.Services![0].Spec!.Ports![0].NodePort = 30090);

        await _bare.Objects.CreateAsync(other);

        await AcceptedAsync(c =>
            c is { Status: "False", Reason: "EndpointLimitExceeded" }
            && c.Message.StartsWith(
                "1 of 2 node ports, from 30090 up, return 503: 3 addresses on each exceed the limit",
                StringComparison.Ordinal
            )
        );
        (Endpoints(30080), Endpoints(30090)).Should().Be((3, 0));
        await Eventually.GetAsync(
            "Events of Addresses and of the Tenant",
            async () =>
                (await _bare.Objects.ListAsync<Corev1Event>())
                    .Where(e => e.Reason == "EndpointLimitExceeded")
                    .Select(e => e.InvolvedObject.Kind)
                    .Order(),
            kinds => kinds.SequenceEqual(["Addresses", "Tenant"])
        );

        await _bare.Objects.DeleteAsync<Route>(TenantNamespace, "web");
        await AcceptedAsync(c => c.Status == "True");
        Endpoints(30090).Should().Be(3);

        int Endpoints(int nodePort) =>
            ClusterLoadAssignment
                .Parser.ParseFrom(cache.Find(TenantNamespace, ResourceTypes.ClusterLoadAssignment, $"nodeport-{nodePort}")!.Body.Value)
                .Endpoints.Single()
                .LbEndpoints.Count;
    }

    private Task<Addresses> AcceptedAsync(Func<Api.Condition, bool> condition) =>
        _bare.Objects.WaitAsync<Addresses>(
            TenantNamespace,
            Addresses.DefaultName,
            a => a.Status?.Conditions?.Find(c => c.Type == AddressesConditions.Accepted) is { } accepted && condition(accepted),
            "has the condition"
        );
}
