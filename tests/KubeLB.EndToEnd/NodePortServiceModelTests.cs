using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// Node-port Services compared with a simple model, under random changes of routes and Services and restarts: a Service
/// has one as long as any route that is attached refers to it.
/// </summary>
public sealed class NodePortServiceModelTests
{
    private const int Rounds = 20;
    private const int ChangesPerRound = 3;

    private static readonly string[] Services = ["s0", "s1", "s2"];
    private static readonly string[] Routes = ["r0", "r1", "r2"];

    /// <summary>The state of the model: Services that exist, and per route its Service and whether it is attached.</summary>
    private readonly HashSet<string> _services = [];
    private readonly Dictionary<string, (string Service, bool Attached)> _routes = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Node_port_Services_match_the_model(int seed)
    {
        var random = new Random(seed);
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        var log = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            var restart = random.Next(4) == 0;
            if (restart)
            {
                log.Add("stop");
                await fixture.StopCcmAsync();
            }

            for (var i = 0; i < ChangesPerRound; i++)
            {
                log.Add(await ChangeAsync(fixture.Tenant, random));
            }

            if (restart)
            {
                log.Add("start");
                await fixture.StartCcmAsync();
            }

            var expected = _routes
                .Values.Where(r => r.Attached && _services.Contains(r.Service))
                .Select(r => $"{r.Service}-nodeport")
                .Distinct()
                .Order()
                .ToList();
            await Eventually.GetAsync(
                $"node-port Services of seed {seed} after {string.Join("; ", log)} are [{string.Join(", ", expected)}]",
                () => NodePortServicesAsync(fixture.Tenant),
                found => found.SequenceEqual(expected),
                found => string.Join(", ", found)
            );
        }
    }

    private async Task<string> ChangeAsync(TestCluster tenant, Random random)
    {
        var service = Services[random.Next(Services.Length)];
        var route = Routes[random.Next(Routes.Length)];
        var attached = random.Next(3) > 0;
        switch (random.Next(3))
        {
            case 0 when _services.Remove(service):
                await tenant.DeleteAsync<V1Service>("default", service);
                return $"delete {service}";
            case 0:
                await tenant.ApplyAsync(Documents.Backend.Replace("api-backend", service));
                _services.Add(service);
                return $"create {service}";
            case 1 when _routes.Remove(route):
                await tenant.DeleteAsync<HttpRoute>("default", route);
                return $"delete {route}";
            case var _ when _routes.ContainsKey(route):
                await tenant.PatchAsync<HttpRoute>(
                    "default",
                    route,
                    $$$"""
                    {"spec":{"parentRefs":[{"name":"{{{Gateway(
                        attached
                    )}}}"}],"rules":[{"backendRefs":[{"name":"{{{service}}}","port":8080}]}]}}
                    """
                );
                _routes[route] = (service, attached);
                return $"{route} to {service} {attached}";
            case var _ when await tenant.GetAsync<HttpRoute>("default", route) is not null:
                return $"{route} is still being deleted";
            default:
                await tenant.ApplyAsync(
                    Documents.Route.Replace("api-route", route).Replace("api-backend", service).Replace("my-gateway", Gateway(attached))
                );
                _routes[route] = (service, attached);
                return $"create {route} to {service} {attached}";
        }
    }

    private static string Gateway(bool attached) => attached ? "my-gateway" : "not-managed";

    private static async Task<List<string>> NodePortServicesAsync(TestCluster tenant) =>
        [
            .. (await tenant.ListAsync<V1Service>("default"))
                .Select(s => s.Name())
                .Where(n => n.EndsWith("-nodeport", StringComparison.Ordinal))
                .Order(),
        ];
}
