using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The order in which a tenant applies its objects does not matter.</summary>
public sealed class OrderTests
{
    public static TheoryData<string> Orders =>
        [
            "gateway backend deployment route",
            "route gateway backend deployment",
            "route deployment backend gateway",
            "backend route deployment gateway",
            "gateway route backend deployment",
        ];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Request_is_served_for_any_order_of_applied_objects(string order)
    {
        await using var fixture = await SystemFixture.StartAsync();
        foreach (var name in order.Split(' '))
        {
            await fixture.Tenant.ApplyAsync(
                name switch
                {
                    "gateway" => Documents.Gateway,
                    "backend" => Documents.Backend,
                    "deployment" => Documents.Deployment,
                    _ => Documents.Route,
                }
            );
        }

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }
}
