using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Controllers are idle while nothing changes.</summary>
public sealed class IdleTests
{
    [Fact]
    public async Task Idle_controllers_send_no_request()
    {
        await using var fixture = await SystemFixture.StartAsync(tenants: 2);
        await Task.WhenAll(fixture.ApplyBasicExampleAsync(0), fixture.ApplyBasicExampleAsync(1));
        await fixture.SettleAsync();
        fixture.ForgetRequests();

        // A fixed period: the absence of requests has no condition to wait for.
        await Task.Delay(TimeSpan.FromSeconds(3));

        fixture.Requests().Where(r => r is not { Verb: "watch" } && r.Resource != "leases").Should().BeEmpty();
    }
}
