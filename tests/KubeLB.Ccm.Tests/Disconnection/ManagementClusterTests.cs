using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.Tests.Disconnection;

/// <summary>The management cluster cannot be used: the CCM stays up, says so, loses nothing and goes on by itself.</summary>
public sealed class ManagementClusterTests
{
    [Fact]
    public async Task Unreachable_at_the_start_it_is_waited_for_and_told_once()
    {
        await using var bed = await CcmFixture.CreateAsync();
        using (bed.CutOffManagement())
        {
            await bed.StartCcmAsync();
            await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
            await bed.CreateAsync(Given.Gateway());

            var problem = await bed.WaitForProblemAsync("cannot be reached");
            problem.Should().StartWith("cluster management: ").And.Contain("that the API server is running");
            await Eventually.HoldsAsync("it keeps trying", () => bed.ManagementServer.Requests.Count(CcmFixture.IsOfCcm) > 20);
            bed.Log.Warnings.Should().ContainSingle().Which.Should().Contain("cannot be reached");
        }

        await bed.WaitReadyAsync();
        await CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "comes"
        );
        var gateway = (await bed.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        bed.Log.Lines.Where(l => l.Text.Contains("\"management\" recovered", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Theory]
    [InlineData(401, "cluster management: ", "rejected the credentials")]
    [InlineData(403, "informer management/", "forbids")]
    [InlineData(500, "informer management/", "500")]
    public async Task Answers_that_refuse_everything_later_are_told_once_per_change_and_status_stands(int code, string where, string what)
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        var carried = await bed.CreateAsync(Given.Gateway());
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, carried.Metadata.Uid, _ => true, "is carried");
        await ProgramAsync(bed, carried.Metadata.Uid);
        var before = await CcmFixture.WaitAsync<Gateway>(
            bed.Tenant,
            "default",
            "gw",
            g => g.Status?.Addresses is { Count: 1 },
            "has its address"
        );
        await bed.WaitReadyAsync();

        using (bed.AnswerManagementWith(code))
        {
            var (ready, text) = await Eventually.GetAsync(
                "/readyz says so",
                bed.ReadyAsync,
                r => !r.Ready && r.Text.Contains(what, StringComparison.Ordinal)
            );
            text.TrimEnd().Split('\n').Should().OnlyContain(line => line.StartsWith(where, StringComparison.Ordinal));
            var seen = bed.ManagementServer.Requests.Count(CcmFixture.IsOfCcm);
            await Eventually.HoldsAsync("it keeps trying", () => bed.ManagementServer.Requests.Count(CcmFixture.IsOfCcm) > seen + 10);
            bed.Log.Warnings.Should().OnlyHaveUniqueItems().And.HaveCountLessThanOrEqualTo(3, "once per kind at most, not per attempt");
            var now = (await bed.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!;
            now.Metadata.ResourceVersion.Should().Be(before.Metadata.ResourceVersion);
        }

        await bed.WaitReadyAsync();
    }

    [Fact]
    public async Task What_is_deleted_meanwhile_is_gone_at_once_and_its_route_follows()
    {
        await using var bed = await CcmFixture.StartAsync();
        var gateway = await bed.CreateAsync(Given.Gateway());
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        using (bed.CutOffManagement())
        {
            await bed.Tenant.Client<Gateway>().DeleteAsync(new ResourceKey("default", "gw"), null, default);
            (await bed.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))
                .Should()
                .BeNull("no finalizer holds it");
            await Eventually.HoldsAsync(
                "it tries",
                () => bed.ManagementServer.Requests.Count(r => CcmFixture.IsOfCcm(r) && r.Verb == "delete") > 1
            );
        }

        await Eventually.GetAsync(
            "its Route is gone",
            () => bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway.Metadata.Uid), default),
            r => r is null
        );
    }

    /// <summary>What the manager reports of a carried Gateway.</summary>
    internal static Task ProgramAsync(CcmFixture bed, string uid) =>
        CcmFixture.PatchStatusAsync<Route>(
            bed.Management,
            CcmFixture.Namespace,
            uid,
            """
            {"resources":{"route":{"generatedName":"default-gw","sourceGeneration":1,"generation":1,
              "conditions":[{"type":"ResourceAppliedSuccessfully","status":"True","reason":"InstallationSuccessful","message":"Success","lastTransitionTime":"2026-01-01T00:00:00Z"}],
              "status":{"addresses":[{"type":"IPAddress","value":"192.0.2.80"}],
                "conditions":[
                  {"type":"Accepted","status":"True","reason":"Accepted","message":"","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"},
                  {"type":"Programmed","status":"True","reason":"Programmed","message":"","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}]}}}}
            """
        );
}
