using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Work is done when something changed, and only then.</summary>
public sealed class QuietTests
{
    [Fact]
    public async Task Nothing_is_asked_of_the_api_servers_while_nothing_changes()
    {
        await using var bed = await SystemFixture.StartAsync(tenants: 2);
        await Task.WhenAll(bed.ApplyBasicExampleAsync(0), bed.ApplyBasicExampleAsync(1));
        await bed.SettleAsync();
        bed.ForgetRequests();

        // A period, not a wait: that nothing happens takes time to see.
        await Task.Delay(TimeSpan.FromSeconds(3));

        bed.Requests().Where(r => r is not { Verb: "watch" } && r.Resource != "leases").Should().BeEmpty();
    }
}
