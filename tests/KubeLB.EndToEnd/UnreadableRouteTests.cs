using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Routes whose spec cannot be parsed; without Envoy Gateway and without running pods.</summary>
public sealed class UnreadableRouteTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private BareManagement _bare = null!;
    private IHost _manager = null!;

    private IInformer<Route> Routes => _manager.Services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Route>();

    private ResourceCache Cache => _manager.Services.GetRequiredService<ResourceCache>();

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _manager = await _bare.StartManagerAsync("kubelb-manager");
        await _bare.AddTenantAsync(_manager);
        await _bare.SetAddressesAsync("10.7.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Eventually.HoldsAsync(
            () => Task.FromResult(Cache.Count(TenantNamespace, ResourceTypes.Listener) == 1),
            "the route is served"
        );
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Theory]
    [MemberData(nameof(UnreadableSpecs))]
    [Trait("Threat", "unreadable-route")]
    public async Task Unreadable_route_gets_one_status_write_and_can_be_deleted(string what, string source)
    {
        await _bare.Objects.WaitAsync<Route>(TenantNamespace, "web", r => r.Status?.Resources?.Route is not null, "has its first status");
        _bare.Cluster.ForgetRequests();
        await PatchAsync(
            """{"metadata":{"annotations":{"test/what":"WHAT"}},"spec":{"source":{"kubernetes":SOURCE}}}"""
                .Replace("WHAT", what)
                .Replace("SOURCE", source)
        );
        await Eventually.GetAsync(
            "the route is rejected",
            () => Task.FromResult(Routes.Get(TenantNamespace, "web")),
            r => Problem(r) is not null
        );
        var written = Routes.Get(TenantNamespace, "web")!;
        for (var i = 0; i < 5; i++)
        {
            var before = await ReconcileCounts.OfAsync(_manager, "route");
            await PatchAsync("""{"metadata":{"annotations":{"test/event":"EVENT"}}}""".Replace("EVENT", $"{i}", StringComparison.Ordinal));
            await Eventually.HoldsAsync(async () => await ReconcileCounts.OfAsync(_manager, "route") > before, "the route is reconciled");
        }

        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "later"));
        await Eventually.HoldsAsync(
            () => Task.FromResult(Cache.Count(TenantNamespace, ResourceTypes.Listener) == 1),
            "another route is served"
        );
        StatusWrites().Should().Be(1, "the status is the same at each event");
        Problem(Routes.Get(TenantNamespace, "web")).Should().Be(Problem(written));

        await _bare.Objects.DeleteAsync<Route>(TenantNamespace, "web");
        await _bare.Objects.WaitGoneAsync<Route>(TenantNamespace, "web");
    }

    public static TheoryData<string, string> UnreadableSpecs() =>
        new()
        {
            {
                "a deeply nested Service",
                """{"services":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"default"},"spec":"""
                    + Nested(100)
                    + "}]}"
            },
            { "a deeply nested source object", """{"resource":{"spec":{"x":""" + Nested(400) + "}}}" },
            { "a number in the place of a list", """{"resource":{"spec":{"rules":5}}}""" },
            {
                "text in the place of a port",
                """{"services":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"default"}"""
                    + ""","spec":{"ports":[{"port":"x"}]}}]}"""
            },
        };

    private static string Nested(int levels) => string.Concat(Enumerable.Repeat("""{"a":""", levels)) + "1" + new string('}', levels);

    private static string? Problem(Route? route) =>
        route?.Status?.Conditions?.FirstOrDefault(c => c is { Type: "Accepted", Status: "False" })?.Message;

    private int StatusWrites() =>
        _bare
            .Cluster.Requests()
            .Count(r =>
                r is { Resource: "routes", Name: "web", Subresource: "status" }
                && r.IsWrite
                && r.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal)
            );

    private Task<Route> PatchAsync(string mergePatch) => _bare.Objects.PatchAsync<Route>(TenantNamespace, "web", mergePatch);
}
