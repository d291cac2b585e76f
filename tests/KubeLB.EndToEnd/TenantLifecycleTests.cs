using System.Globalization;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd;

/// <summary>How Tenants come and go, and what their status says of it.</summary>
public sealed class TenantLifecycleTests
{
    private const string Hold = "example.com/hold";

    [Fact]
    public async Task A_tenant_that_is_deleted_and_created_again_works_again_with_another_token()
    {
        await using var bed = await StartAsync();
        await bed.ApplyBasicExampleAsync();
        var before = (await bed.Management.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm"))!;

        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
        await bed.Management.ApplyAsync(TenantNamed("t1"));

        await bed.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        await ExpectRecoveryAsync(bed);
        (await bed.Management.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm"))!.Data["token"].Should().NotEqual(before.Data["token"]);
    }

    [Fact]
    public async Task A_tenant_is_taken_down_in_order()
    {
        await using var bed = await StartAsync(o => o with { Ccm = ccm => ccm with { EnableSecretSynchronizer = true } });
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels:\n    kubelb.k8c.io/managed-by: kubelb\nstringData:\n  a: b\n"
        );
        await Eventually.HoldsAsync(
            "the Secret is carried",
            async () => (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 1
        );
        var service = await bed.Management.GetAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        var port = int.Parse(service!.Spec.Ports.Single().TargetPort.Value, CultureInfo.InvariantCulture);
        bed.Sandbox.ResolveProxy(bed.Sandbox.Tenants[0], port).Should().NotBeNull();
        bed.ForgetRequests();

        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");

        bed.Writes()
            .Where(r => r.UserAgent == "kubelb-manager" && r.Verb == "delete" && r.StatusCode == 200)
            .Select(r => r.Resource)
            .Where(r => r is "rolebindings" or "routes" or "httproutes" or "syncsecrets" or "namespaces")
            .Distinct()
            .Should()
            .Equal("rolebindings", "routes", "httproutes", "syncsecrets", "namespaces");
        await Eventually.HoldsAsync(
            "its proxies serve nothing",
            () => Task.FromResult(bed.Sandbox.ResolveProxy(bed.Sandbox.Tenants[0], port) is null)
        );
    }

    [Fact]
    public async Task What_holds_up_a_removal_is_named_and_nothing_is_done_before_its_turn()
    {
        await using var bed = await StartAsync();
        await bed.ApplyBasicExampleAsync();
        await HoldAsync<HttpRoute>(bed, "default-api-route");

        await bed.Management.DeleteAsync<Tenant>("", "t1");

        await bed.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t =>
                TenantConditions.Says(
                    t,
                    TenantPhases.Terminating,
                    "1 Route ",
                    "HTTPRoute default/api-route of the tenant",
                    $"HTTPRoute tenant-t1/default-api-route is held by the finalizer {Hold}"
                ),
            "says what holds it up"
        );
        (await bed.Management.GetAsync<V1Namespace>("", "tenant-t1"))!.Metadata.DeletionTimestamp.Should().BeNull("its turn has not come");

        await ReleaseAsync<HttpRoute>(bed, "default-api-route");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
    }

    [Fact]
    public async Task A_tenant_created_anew_waits_for_the_end_of_the_old_namespace()
    {
        await using var bed = await StartAsync();
        await bed.StopCcmAsync();
        await bed.Management.CreateAsync(
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

        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Terminating, "namespace tenant-t1", Hold),
            "says what the namespace waits for"
        );
        await bed.Management.PatchAsync<Tenant>("", "t1", """{"metadata":{"finalizers":null}}""");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
        await bed.Management.ApplyAsync(TenantNamed("t1"));

        await bed.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Pending, "old namespace tenant-t1", Hold),
            "says what it waits for"
        );
        await ReleaseAsync<V1ConfigMap>(bed, "theirs");
        var tenant = await bed.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        (await bed.Management.GetAsync<V1Namespace>("", "tenant-t1"))!
            .Metadata.OwnerReferences.Should()
            .ContainSingle()
            .Which.Uid.Should()
            .Be(tenant.Metadata.Uid);
    }

    [Fact]
    public async Task Of_two_tenants_whose_names_mean_the_same_the_second_is_refused_until_the_first_is_gone()
    {
        await using var bed = await StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Management.ApplyAsync(TenantNamed("tenant-t1"));
        await bed.Management.WaitAsync<Tenant>(
            "",
            "tenant-t1",
            t => TenantConditions.Says(t, TenantPhases.Failed, "t1 and tenant-t1 mean the same tenant", "delete one"),
            "is refused"
        );
        await bed.Management.DeleteAsync<Tenant>("", "tenant-t1");
        await bed.Management.WaitGoneAsync<Tenant>("", "tenant-t1");
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Management.ApplyAsync(TenantNamed("tenant-t1"));
        await bed.Management.WaitAsync<Tenant>("", "tenant-t1", t => TenantConditions.Says(t, TenantPhases.Failed), "is refused");
        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitAsync<Tenant>("", "tenant-t1", t => TenantConditions.Says(t, TenantPhases.Ready), "has its turn");
        await ExpectRecoveryAsync(bed);
    }

    [Theory]
    [InlineData("a-name-of-which-tenant-makes-more-than-sixty-three-characters", "63", "56 characters")]
    [InlineData("with.dots", "tenant-with.dots", "without dots")]
    public async Task A_name_that_no_namespace_can_have_is_refused(string name, params string[] words)
    {
        await using var bed = await SystemFixture.StartAsync();

        await bed.Management.ApplyAsync(TenantNamed(name));

        var tenant = await bed.Management.WaitAsync<Tenant>(
            "",
            name,
            t => TenantConditions.Says(t, TenantPhases.Failed, words),
            "is refused"
        );
        tenant.Metadata.Finalizers.Should().BeNullOrEmpty();
        await bed.Management.DeleteAsync<Tenant>("", name);
        await bed.Management.WaitGoneAsync<Tenant>("", name);
    }

    private static async Task<SystemFixture> StartAsync(
        Func<Sandbox.Composition.SandboxOptions, Sandbox.Composition.SandboxOptions>? configure = null
    )
    {
        var bed = await SystemFixture.StartAsync(configure: configure);
        if (!bed.Features.HasFlag(ClusterFeatures.Controllers))
        {
            await bed.DisposeAsync();
            Assert.SkipWhen(true, ClusterFeatureReasons.NoControllers);
        }

        return bed;
    }

    // The address may be another one; the tenant reads it in its Gateway's status.
    private static async Task ExpectRecoveryAsync(SystemFixture bed)
    {
        var generated = await bed.Management.WaitAsync<Gateway>("tenant-t1", "default-my-gateway", Statuses.IsProgrammed, "is programmed");
        var address = generated.Status!.Addresses![0].Value;
        await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses?.FirstOrDefault()?.Value == address,
            $"has the address {address}"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    private static string TenantNamed(string name) =>
        $"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {name}\nspec: {{}}\n";

    private static Task<T> HoldAsync<T>(SystemFixture bed, string name)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        bed.Management.PatchAsync<T>("tenant-t1", name, $$"""{"metadata":{"finalizers":["{{Hold}}"] } }""");

    private static Task<T> ReleaseAsync<T>(SystemFixture bed, string name)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        bed.Management.PatchAsync<T>("tenant-t1", name, """{"metadata":{"finalizers":null}}""");
}
