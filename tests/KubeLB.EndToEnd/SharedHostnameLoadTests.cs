using System.Diagnostics;
using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A tenant that claims the hostnames of another one many times, and changes them all the time, does not delay it.</summary>
public sealed class SharedHostnameLoadTests
{
    private const string Hostile = "tenant-t2";
    private const string Own = BareManagement.TenantNamespace;
    private const int Claims = 300;

    // At most 0.5 s on two busy cores.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(false, "*.example.com", "*.com")]
    [InlineData(true, "warm.example.com", "other.example.com")]
    [Trait("Threat", "hostname-claims")]
    public async Task Route_is_generated_while_another_tenant_claims_its_hostnames_many_times(bool isExclusive, string first, string second)
    {
        await using var management = await BareManagement.StartAsync($"exclusiveHostnames: {(isExclusive ? "true" : "false")}");
        await management.AddTenantAsync(await management.StartManagerAsync());
        await management.Objects.ApplyAsync("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata: {name: t2}\nspec: {}\n");
        await management.Objects.WaitAsync<Tenant>("", "t2", t => t.Status?.Phase == TenantPhases.Ready, "is set up");
        await CreateAsync(management, Own, "warm");

        for (var i = 0; i < Claims; i++)
        {
            await management.Objects.CreateAsync(Claim($"c{i}", i));
        }

        using var stop = new CancellationTokenSource();
        var flipping = Task.Run(
            async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    var change = CcmRoutes.Edit(i % 2 == 0 ? first : second, i);
                    await management.Objects.PatchAsync<Route>(Hostile, $"c{i % Claims}", change);
                }
            },
            CancellationToken.None
        );
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 10; i++)
        {
            var elapsed = await CreateAsync(management, Own, $"quick{i}");
            slowest = elapsed > slowest ? elapsed : slowest;
        }

        await stop.CancelAsync();
        await flipping;
        TestContext.Current.TestOutputHelper?.WriteLine($"Generated after {slowest.TotalMilliseconds:0} ms at most.");
        slowest.Should().BeLessThan(Deadline);
    }

    private static async Task<TimeSpan> CreateAsync(BareManagement management, string tenantNamespace, string name)
    {
        var started = Stopwatch.GetTimestamp();
        await management.Objects.CreateAsync(CcmRoutes.Http(tenantNamespace, name));
        await management.Objects.WaitAsync<HttpRoute>(tenantNamespace, $"default-{name}", _ => true, "is generated");
        return Stopwatch.GetElapsedTime(started);
    }

    // With 15 hostnames of the other tenant's domain, and one that the other tenant uses.
    private static Route Claim(string name, int number)
    {
        var route = CcmRoutes.Http(Hostile, name);
        route.Change(k =>
            k.Resource!["spec"]!["hostnames"] = new JsonArray([
                .. Enumerable.Range(0, 15).Select(i => (JsonNode)$"h{i}-{number}.example.com"),
                "warm.example.com",
            ])
        );
        return route;
    }
}
