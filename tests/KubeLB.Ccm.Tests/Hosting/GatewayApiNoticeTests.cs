using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Tests.Support;

namespace KubeLB.Ccm.Tests.Hosting;

/// <summary>A CCM without <c>--enable-gateway-api</c> reports that it serves nothing.</summary>
public sealed class GatewayApiNoticeTests
{
    private const string Notice =
        "Gateway API is not enabled, so no Gateway and no route is served. Start the CCM with --enable-gateway-api.";

    [Fact]
    public async Task CCM_without_Gateway_API_warns_in_log_and_check()
    {
        await using var fixture = await CcmFixture.StartAsync(options => options with { EnableGatewayApi = false });

        fixture.Log.Warnings.Should().ContainSingle().Which.Should().Contain(Notice);
        (await CheckAsync(fixture, isEnabled: false))
            .Should()
            .ContainSingle(f => f.Text == Notice)
            .Which.Should()
            .Match<KubeLB.Runtime.CommandLine.Finding>(f => !f.IsOk && f.IsWarning);
    }

    [Fact]
    public async Task CCM_with_Gateway_API_does_not_warn()
    {
        await using var fixture = await CcmFixture.StartAsync();

        fixture.Log.Warnings.Should().NotContain(line => line.Contains(Notice, StringComparison.Ordinal));
        (await CheckAsync(fixture, isEnabled: true)).Should().NotContain(f => f.Text == Notice);
    }

    private static Task<IReadOnlyList<KubeLB.Runtime.CommandLine.Finding>> CheckAsync(CcmFixture fixture, bool isEnabled) =>
        ConnectionCheck.CheckAsync(
            new CcmOptions { ClusterName = "t1", EnableGatewayApi = isEnabled },
            new CcmConnections(() => fixture.TenantServer.CreateClient("check"), () => fixture.ManagementServer.CreateClient("check")),
            TestContext.Current.CancellationToken
        );
}
