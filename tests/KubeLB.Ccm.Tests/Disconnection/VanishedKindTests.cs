using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.Tests.Disconnection;

/// <summary>
/// A CustomResourceDefinition that is deleted takes all of its objects along; they are not taken for deleted by their owners.
/// </summary>
public sealed class VanishedKindTests
{
    [Theory]
    [InlineData("httproutes")]
    [InlineData("gateways")]
    public async Task Deleting_the_definition_of_a_kind_removes_nothing_until_it_is_served_again(string plural)
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Service());
        var gateway = (await bed.CreateAsync(Given.Gateway())).Metadata.Uid;
        var route = (await bed.CreateAsync(Given.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway, _ => true, "is carried");
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route, _ => true, "is carried");

        await bed
            .Tenant.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", $"{plural}.gateway.networking.k8s.io"), null, default);

        await Eventually.GetAsync(
            "the log says what is held",
            () => Task.FromResult(bed.Log.Warnings),
            w => w.Any(t => t.Contains($"{plural}.gateway.networking.k8s.io is missing or being deleted", StringComparison.Ordinal))
        );
        await ExpectUntouchedAsync(bed, gateway, route);

        // The same after a restart, which sees the kind neither served nor listed.
        await Eventually.GetAsync(
            "the definition is gone",
            () =>
                bed
                    .Tenant.Client<V1CustomResourceDefinition>()
                    .GetAsync(new ResourceKey("", $"{plural}.gateway.networking.k8s.io"), default),
            definition => definition is null
        );
        await bed.StopCcmAsync();
        await bed.StartCcmAsync();
        await Eventually.GetAsync(
            "readyz names the kind",
            bed.ReadyAsync,
            r =>
                r.Text.Contains(plural, StringComparison.Ordinal)
                && r.Text.Contains("install the CustomResourceDefinition", StringComparison.Ordinal)
        );
        await bed.CreateAsync(Given.Node("n1", "192.0.2.1"));
        await CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "follows its controllers"
        );
        await ExpectUntouchedAsync(bed, gateway, route);

        await CcmFixture.InstallCrdsAsync(bed.TenantServer, file => file.Contains(plural, StringComparison.Ordinal));
        await Eventually.GetAsync(
            "what is not there is removed",
            () =>
                bed
                    .Management.Client<Route>()
                    .GetAsync(new ResourceKey(CcmFixture.Namespace, plural == "gateways" ? gateway : route), default),
            r => r is null
        );
        await bed.WaitReadyAsync();
    }

    [Fact]
    public async Task An_object_that_somebodys_finalizer_holds_while_its_definition_is_deleted_is_still_served()
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Service());
        var gateway = (await bed.CreateAsync(Given.Gateway())).Metadata.Uid;
        var held = Given.Route();
        held.Metadata.Finalizers = ["example.com/theirs"];
        var route = (await bed.CreateAsync(held)).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route, _ => true, "is carried");

        await bed
            .Tenant.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", "httproutes.gateway.networking.k8s.io"), null, default);
        await CcmFixture.WaitAsync<HttpRoute>(
            bed.Tenant,
            "default",
            "r",
            r => r.Metadata.DeletionTimestamp is not null,
            "is being deleted"
        );
        await Eventually.GetAsync(
            "the log says what is held",
            () => Task.FromResult(bed.Log.Warnings),
            w => w.Any(t => t.Contains("is missing or being deleted", StringComparison.Ordinal))
        );

        await ExpectUntouchedAsync(bed, gateway, route);
    }

    [Fact]
    public async Task Without_permission_to_read_definitions_discovery_decides()
    {
        await using var bed = await CcmFixture.CreateAsync();
        using var forbidden = bed.TenantServer.Faults.Add(
            new EmbeddedCluster.Faults.FaultRule
            {
                Matches = r => CcmFixture.IsOfCcm(r) && r.Resource == "customresourcedefinitions",
                Times = null,
                StatusCode = 403,
            }
        );
        await bed.StartCcmAsync();
        await bed.CreateAsync(Given.Service());
        await bed.CreateAsync(Given.Gateway());
        var route = (await bed.CreateAsync(Given.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route, _ => true, "is carried");

        await bed.Tenant.Client<HttpRoute>().DeleteAsync(new ResourceKey("default", "r"), null, default);

        await Eventually.GetAsync(
            "its Route is gone",
            () => bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default),
            r => r is null
        );
    }

    private static async Task ExpectUntouchedAsync(CcmFixture bed, string gateway, string route)
    {
        (await bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default))!
            .Metadata.DeletionTimestamp.Should()
            .BeNull();
        var carried = await bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default);
        carried!.Metadata.DeletionTimestamp.Should().BeNull();
        carried.Spec!.Read().Source!.Kubernetes!.Resource!["spec"]!["parentRefs"]!.AsArray().Should().ContainSingle();
        (await bed.Tenant.Client<V1Service>().GetAsync(new ResourceKey("default", "api-nodeport"), default)).Should().NotBeNull();
    }
}
