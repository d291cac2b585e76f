using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>Objects removed with their CustomResourceDefinition are not treated as deleted.</summary>
public sealed class DeletedKindTests
{
    [Theory]
    [InlineData("httproutes")]
    [InlineData("gateways")]
    public async Task Deleted_CRD_removes_no_Route_until_it_is_installed_again(string plural)
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Service());
        var gateway = (await fixture.CreateAsync(TestObjects.Gateway())).Metadata.Uid;
        var route = (await fixture.CreateAsync(TestObjects.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway, _ => true, "exists");
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route, _ => true, "exists");

        await fixture
            .Tenant.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", $"{plural}.gateway.networking.k8s.io"), null, default);

        await Eventually.GetAsync(
            "the log reports that removal is suspended",
            () => Task.FromResult(fixture.Log.Warnings),
            w => w.Any(t => t.Contains($"{plural}.gateway.networking.k8s.io is missing or being deleted", StringComparison.Ordinal))
        );
        await ExpectUntouchedAsync(fixture, gateway, route);

        // The same after a restart, with the kind neither installed nor listed.
        await Eventually.GetAsync(
            "the definition is deleted",
            () =>
                fixture
                    .Tenant.Client<V1CustomResourceDefinition>()
                    .GetAsync(new ResourceKey("", $"{plural}.gateway.networking.k8s.io"), default),
            definition => definition is null
        );
        await fixture.StopCcmAsync();
        await fixture.StartCcmAsync();
        await Eventually.GetAsync(
            "readyz names the kind",
            fixture.ReadyAsync,
            r =>
                r.Text.Contains(plural, StringComparison.Ordinal)
                && r.Text.Contains("install the CustomResourceDefinition", StringComparison.Ordinal)
        );
        await fixture.CreateAsync(TestObjects.Node("n1", "192.0.2.1"));
        await CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "follows its controllers"
        );
        await ExpectUntouchedAsync(fixture, gateway, route);

        await CcmFixture.InstallCrdsAsync(fixture.TenantServer, file => file.Contains(plural, StringComparison.Ordinal));
        await Eventually.GetAsync(
            "the Route of a deleted object is removed",
            () =>
                fixture
                    .Management.Client<Route>()
                    .GetAsync(new ResourceKey(CcmFixture.Namespace, plural == "gateways" ? gateway : route), default),
            r => r is null
        );
        await fixture.WaitReadyAsync();
    }

    [Fact]
    public async Task Terminating_route_of_a_terminating_CRD_is_still_served()
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Service());
        var gateway = (await fixture.CreateAsync(TestObjects.Gateway())).Metadata.Uid;
        var blocked = TestObjects.Route();
        blocked.Metadata.Finalizers = ["example.com/other"];
        var route = (await fixture.CreateAsync(blocked)).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route, _ => true, "exists");

        await fixture
            .Tenant.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", "httproutes.gateway.networking.k8s.io"), null, default);
        await CcmFixture.WaitAsync<HttpRoute>(
            fixture.Tenant,
            "default",
            "r",
            r => r.Metadata.DeletionTimestamp is not null,
            "is being deleted"
        );
        await Eventually.GetAsync(
            "the log reports that removal is suspended",
            () => Task.FromResult(fixture.Log.Warnings),
            w => w.Any(t => t.Contains("is missing or being deleted", StringComparison.Ordinal))
        );

        await ExpectUntouchedAsync(fixture, gateway, route);
    }

    [Fact]
    public async Task Forbidden_CRD_read_falls_back_to_discovery()
    {
        await using var fixture = await CcmFixture.CreateAsync();
        using var forbidden = fixture.TenantServer.Faults.Add(
            new EmbeddedCluster.Faults.FaultRule
            {
                Matches = r => CcmFixture.IsOfCcm(r) && r.Resource == "customresourcedefinitions",
                Times = null,
                StatusCode = 403,
            }
        );
        await fixture.StartCcmAsync();
        await fixture.CreateAsync(TestObjects.Service());
        await fixture.CreateAsync(TestObjects.Gateway());
        var route = (await fixture.CreateAsync(TestObjects.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route, _ => true, "exists");

        await fixture.Tenant.Client<HttpRoute>().DeleteAsync(new ResourceKey("default", "r"), null, default);

        await Eventually.GetAsync(
            "its Route is deleted",
            () => fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default),
            r => r is null
        );
    }

    private static async Task ExpectUntouchedAsync(CcmFixture fixture, string gateway, string route)
    {
        (await fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default))!
            .Metadata.DeletionTimestamp.Should()
            .BeNull();
        var stored = await fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default);
        stored!.Metadata.DeletionTimestamp.Should().BeNull();
        stored.Spec!.Read().Source!.Kubernetes!.Resource!["spec"]!["parentRefs"]!.AsArray().Should().ContainSingle();
        (await fixture.Tenant.Client<V1Service>().GetAsync(new ResourceKey("default", "api-nodeport"), default)).Should().NotBeNull();
    }
}

/// <summary>A kind that is not installed in the tenant's cluster does not affect other kinds.</summary>
public sealed class MissingKindTests
{
    [Fact]
    public async Task Missing_GRPCRoute_kind_keeps_HTTPRoutes_served_and_is_reported()
    {
        await using var fixture = await CcmFixture.CreateAsync(without: "grpcroutes");
        await fixture.StartCcmAsync();
        await fixture.CreateAsync(TestObjects.Service());
        await fixture.CreateAsync(TestObjects.Gateway());
        var route = await fixture.CreateAsync(TestObjects.Route());

        await CcmFixture.WaitAsync<V1Service>(fixture.Tenant, "default", "api-nodeport", _ => true, "exists");
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "exists");
        var (ready, text) = await fixture.ReadyAsync();
        ready.Should().BeTrue("HTTPRoutes can be served");
        text.TrimEnd()
            .Split('\n')
            .Should()
            .ContainSingle()
            .Which.Should()
            .Contain("grpcroutes.gateway.networking.k8s.io")
            .And.Contain("install the CustomResourceDefinition");

        await CcmFixture.InstallCrdsAsync(fixture.TenantServer, file => file.Contains("grpcroutes", StringComparison.Ordinal));
        await fixture.WaitReadyAsync();
    }

    [Fact]
    public async Task Missing_Gateway_API_keeps_node_addresses_and_recovers_after_its_installation()
    {
        await using var fixture = await CcmFixture.CreateAsync(without: "gateway.networking.k8s.io");
        await fixture.StartCcmAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        await CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "exists"
        );
        var (ready, text) = await Eventually.GetAsync(
            "/readyz names all four kinds",
            fixture.ReadyAsync,
            r => r.Text.TrimEnd().Split('\n').Count(l => l.Contains("install the CustomResourceDefinition", StringComparison.Ordinal)) == 4
        );
        ready.Should().BeFalse("Gateways cannot be served");

        await CcmFixture.InstallCrdsAsync(
            fixture.TenantServer,
            file => file.StartsWith("gateway.networking.k8s.io", StringComparison.Ordinal)
        );
        await fixture.WaitReadyAsync();
        var gateway = await fixture.CreateAsync(TestObjects.Gateway());
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
    }
}
