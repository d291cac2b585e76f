using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>While the management cluster is unavailable, the CCM reports it, keeps all objects and recovers by itself.</summary>
public sealed class ManagementClusterTests
{
    [Fact]
    public async Task Unreachable_management_cluster_at_start_is_logged_once_and_retried()
    {
        await using var fixture = await CcmFixture.CreateAsync();
        using (fixture.CutOffManagement())
        {
            await fixture.StartCcmAsync();
            await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
            await fixture.CreateAsync(TestObjects.Gateway());

            var problem = await fixture.WaitForProblemAsync("cannot be reached");
            problem.Should().StartWith("cluster management: ").And.Contain("check the server address and that the API server is running");
            await Eventually.HoldsAsync(() => fixture.ManagementServer.Requests.Count(CcmFixture.IsOfCcm) > 20, "requests are retried");
            fixture.Log.Warnings.Should().ContainSingle().Which.Should().Contain("cannot be reached");
        }

        await fixture.WaitReadyAsync();
        await CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "is written"
        );
        var gateway = (await fixture.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        fixture.Log.Lines.Where(l => l.Text.Contains("\"management\" recovered", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Theory]
    [InlineData(401, "cluster management: ", "rejected the credentials")]
    [InlineData(403, "informer management/", "forbids")]
    [InlineData(500, "informer management/", "500")]
    public async Task Failing_management_cluster_is_logged_once_and_keeps_the_status(int code, string where, string what)
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        var created = await fixture.CreateAsync(TestObjects.Gateway());
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, created.Metadata.Uid, _ => true, "exists");
        await ProgramAsync(fixture, created.Metadata.Uid);
        var before = await CcmFixture.WaitAsync<Gateway>(
            fixture.Tenant,
            "default",
            "gw",
            g => g.Status?.Addresses is { Count: 1 },
            "has its address"
        );
        await fixture.WaitReadyAsync();

        using (fixture.AnswerManagementWith(code))
        {
            var (ready, text) = await Eventually.GetAsync(
                "/readyz reports it",
                fixture.ReadyAsync,
                r => !r.Ready && r.Text.Contains(what, StringComparison.Ordinal)
            );
            text.TrimEnd().Split('\n').Should().OnlyContain(line => line.StartsWith(where, StringComparison.Ordinal));
            var seen = fixture.ManagementServer.Requests.Count(CcmFixture.IsOfCcm);
            await Eventually.HoldsAsync(
                () => fixture.ManagementServer.Requests.Count(CcmFixture.IsOfCcm) > seen + 10,
                "requests are retried"
            );
            fixture
                .Log.Warnings.Should()
                .OnlyHaveUniqueItems()
                .And.HaveCountLessThanOrEqualTo(3, "it is logged once per kind, not per attempt");
            var now = (await fixture.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!;
            now.Metadata.ResourceVersion.Should().Be(before.Metadata.ResourceVersion);
        }

        await fixture.WaitReadyAsync();
    }

    [Fact]
    public async Task Gateway_deleted_while_disconnected_is_removed_and_its_Route_later()
    {
        await using var fixture = await CcmFixture.StartAsync();
        var gateway = await fixture.CreateAsync(TestObjects.Gateway());
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        using (fixture.CutOffManagement())
        {
            await fixture.Tenant.Client<Gateway>().DeleteAsync(new ResourceKey("default", "gw"), null, default);
            (await fixture.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))
                .Should()
                .BeNull("it has no finalizer");
            await Eventually.HoldsAsync(
                () => fixture.ManagementServer.Requests.Count(r => CcmFixture.IsOfCcm(r) && r.Verb == "delete") > 1,
                "requests are retried"
            );
        }

        await Eventually.GetAsync(
            "its Route is deleted",
            () => fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway.Metadata.Uid), default),
            r => r is null
        );
    }

    /// <summary>Writes the manager's report of a programmed Gateway.</summary>
    internal static Task ProgramAsync(CcmFixture fixture, string uid) =>
        CcmFixture.PatchStatusAsync<Route>(
            fixture.Management,
            CcmFixture.Namespace,
            uid,
            """
            {"resources":{"route":{"generatedName":"default-gw","sourceGeneration":1,"generation":1,
              "conditions":[{"type":"ResourceAppliedSuccessfully","status":"True","reason":"InstallationSuccessful","message":"Success",
                "lastTransitionTime":"2026-01-01T00:00:00Z"}],
              "status":{"addresses":[{"type":"IPAddress","value":"192.0.2.80"}],
                "conditions":[
                  {"type":"Accepted","status":"True","reason":"Accepted","message":"","observedGeneration":1,
                    "lastTransitionTime":"2026-01-01T00:00:00Z"},
                  {"type":"Programmed","status":"True","reason":"Programmed","message":"","observedGeneration":1,
                    "lastTransitionTime":"2026-01-01T00:00:00Z"}]}}}}
            """
        );
}
