using System.Globalization;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Creation and deletion of Tenants, and their status.</summary>
[Trait("Threat", "deleted-tenant-token")]
public sealed class TenantLifecycleTests
{
    private const string Hold = "example.com/hold";

    [Fact]
    public async Task Recreated_Tenant_is_served_with_a_new_token()
    {
        await using var fixture = await StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var before = (await fixture.Management.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm"))!;

        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        await fixture.Management.ApplyAsync(TenantNamed("t1"));

        await fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        await ExpectRecoveryAsync(fixture);
        (await fixture.Management.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm"))!.Data["token"].Should().NotEqual(before.Data["token"]);
    }

    [Fact]
    public async Task Deleted_Tenant_is_removed_in_order()
    {
        await using var fixture = await StartAsync(o => o with { Ccm = ccm => ccm with { EnableSecretSynchronizer = true } });
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels:\n    kubelb.k8c.io/managed-by: kubelb\nstringData:\n  a: b\n"
        );
        await Eventually.HoldsAsync(
            async () => (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 1,
            "the Secret is synced"
        );
        var service = await fixture.Management.GetAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        var port = int.Parse(service!.Spec.Ports.Single().TargetPort.Value, CultureInfo.InvariantCulture);
        fixture.Sandbox.ResolveProxy(fixture.Sandbox.Tenants[0], port).Should().NotBeNull();
        fixture.ForgetRequests();

        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");

        fixture
            .Writes()
            .Where(r => r.UserAgent == "kubelb-manager" && r.Verb == "delete" && r.StatusCode == 200)
            .Select(r => r.Resource)
            .Where(r => r is "rolebindings" or "routes" or "httproutes" or "syncsecrets" or "namespaces")
            .Distinct()
            .Should()
            .Equal("rolebindings", "routes", "httproutes", "syncsecrets", "namespaces");
        await Eventually.HoldsAsync(
            () => Task.FromResult(fixture.Sandbox.ResolveProxy(fixture.Sandbox.Tenants[0], port) is null),
            "its proxies serve nothing"
        );
    }

    [Fact]
    public async Task Blocked_Tenant_deletion_names_the_finalizer_and_keeps_the_namespace()
    {
        await using var fixture = await StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await HoldAsync<HttpRoute>(fixture, "default-api-route");

        await fixture.Management.DeleteAsync<Tenant>("", "t1");

        await fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t =>
                TenantConditions.Says(
                    t,
                    TenantPhases.Terminating,
                    "1 Route ",
                    "HTTPRoute default/api-route of the tenant",
                    $"HTTPRoute tenant-t1/default-api-route is blocked by finalizer {Hold}"
                ),
            "reports what blocks the deletion"
        );
        (await fixture.Management.GetAsync<V1Namespace>("", "tenant-t1"))!
            .Metadata.DeletionTimestamp.Should()
            .BeNull("the Routes are removed first");

        await ReleaseAsync<HttpRoute>(fixture, "default-api-route");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
    }

    [Fact]
    public async Task Recreated_Tenant_is_Pending_until_the_old_namespace_is_gone()
    {
        await using var fixture = await StartAsync();
        await fixture.StopCcmAsync();
        await fixture.Management.CreateAsync(
            new V1ConfigMap
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "theirs",
                    NamespaceProperty = "tenant-t1",
                    Finalizers = [Hold],
                },
            }
        );

        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Terminating, "namespace tenant-t1", Hold),
            "reports what the namespace waits for"
        );
        await fixture.Management.PatchAsync<Tenant>("", "t1", """{"metadata":{"finalizers":null}}""");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        await fixture.Management.ApplyAsync(TenantNamed("t1"));

        await fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Pending, "namespace tenant-t1 of a deleted Tenant", Hold),
            "reports what it waits for"
        );
        await ReleaseAsync<V1ConfigMap>(fixture, "theirs");
        var tenant = await fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        (await fixture.Management.GetAsync<V1Namespace>("", "tenant-t1"))!
            .Metadata.OwnerReferences.Should()
            .ContainSingle()
            .Which.Uid.Should()
            .Be(tenant.Metadata.Uid);
    }

    [Fact]
    public async Task Second_Tenant_with_equivalent_name_is_rejected_until_the_first_is_gone()
    {
        await using var fixture = await StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Management.ApplyAsync(TenantNamed("tenant-t1"));
        await fixture.Management.WaitAsync<Tenant>(
            "",
            "tenant-t1",
            t => TenantConditions.Says(t, TenantPhases.Failed, "already belongs to Tenant t1", "Delete one"),
            "is rejected"
        );
        await fixture.Management.DeleteAsync<Tenant>("", "tenant-t1");
        await fixture.Management.WaitGoneAsync<Tenant>("", "tenant-t1");
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Management.ApplyAsync(TenantNamed("tenant-t1"));
        await fixture.Management.WaitAsync<Tenant>("", "tenant-t1", t => TenantConditions.Says(t, TenantPhases.Failed), "is rejected");
        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitAsync<Tenant>("", "tenant-t1", t => TenantConditions.Says(t, TenantPhases.Ready), "becomes ready");
        await ExpectRecoveryAsync(fixture);
    }

    [Theory]
    [InlineData("a-name-of-which-tenant-makes-more-than-sixty-three-characters", "63", "56 characters")]
    [InlineData("with.dots", "tenant-with.dots", "without dots")]
    public async Task Tenant_with_a_name_invalid_for_a_namespace_is_rejected(string name, params string[] words)
    {
        await using var fixture = await SystemFixture.StartAsync();

        await fixture.Management.ApplyAsync(TenantNamed(name));

        var tenant = await fixture.Management.WaitAsync<Tenant>(
            "",
            name,
            t => TenantConditions.Says(t, TenantPhases.Failed, words),
            "is rejected"
        );
        tenant.Metadata.Finalizers.Should().BeNullOrEmpty();
        await fixture.Management.DeleteAsync<Tenant>("", name);
        await fixture.Management.WaitGoneAsync<Tenant>("", name);
    }

    private static async Task<SystemFixture> StartAsync(
        Func<Sandbox.Composition.SandboxOptions, Sandbox.Composition.SandboxOptions>? configure = null
    )
    {
        var fixture = await SystemFixture.StartAsync(configure: configure);
        if (!fixture.Features.HasFlag(ClusterFeatures.Controllers))
        {
            await fixture.DisposeAsync();
            Assert.SkipWhen(true, ClusterFeatureReasons.NoControllers);
        }

        return fixture;
    }

    // The address may be another one; the tenant reads it in its Gateway's status.
    private static async Task ExpectRecoveryAsync(SystemFixture fixture)
    {
        var generated = await fixture.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            Statuses.IsProgrammed,
            "is programmed"
        );
        var address = generated.Status!.Addresses![0].Value;
        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses?.FirstOrDefault()?.Value == address,
            $"has the address {address}"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private static string TenantNamed(string name) =>
        $"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {name}\nspec: {{}}\n";

    private static Task<T> HoldAsync<T>(SystemFixture fixture, string name)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        fixture.Management.PatchAsync<T>("tenant-t1", name, $$"""{"metadata":{"finalizers":["{{Hold}}"] } }""");

    private static Task<T> ReleaseAsync<T>(SystemFixture fixture, string name)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        fixture.Management.PatchAsync<T>("tenant-t1", name, """{"metadata":{"finalizers":null}}""");
}
