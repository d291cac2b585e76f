using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Cluster = KubeLB.EmbeddedCluster.EmbeddedCluster;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>A tenant is bound to one cluster: a CCM in another cluster changes nothing.</summary>
public sealed class ClusterBindingTests : IAsyncLifetime
{
    private CcmFixture _fixture = null!;
    private Cluster _other = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await CcmFixture.CreateAsync();
        _other = await Cluster.StartAsync(new EmbeddedClusterOptions { Name = "other", Tls = false });
        await CcmFixture.InstallCrdsAsync(_other, _ => true);
        await _fixture.CreateAsync(TestObjects.Node("n1", "192.0.2.1"));
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task First_CCM_records_cluster_version_and_time()
    {
        await _fixture.StartCcmAsync();

        var addresses = await BoundAsync();

        CcmAnnotations.ClusterUidOf(addresses).Should().Be(await UidOfAsync(_fixture.TenantServer));
        CcmAnnotations.CcmVersionOf(addresses).Should().StartWith("v");
        CcmAnnotations.LastSeenOf(addresses).Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        addresses.Spec!.Addresses.Should().ContainSingle().Which.Ip.Should().Be("192.0.2.1");
    }

    [Fact]
    public async Task CCM_of_another_cluster_writes_only_one_annotation()
    {
        await _fixture.StartCcmAsync();
        var (gateway, route) = await ServeAsync();
        var uid = CcmAnnotations.ClusterUidOf(await BoundAsync());
        await _fixture.StopCcmAsync();
        _fixture.ManagementServer.Requests.Clear();
        var log = new CapturedLog();

        using var other = await _fixture.StartCcmInAsync(_other, log);

        var addresses = await RejectedAsync();
        var rejected = CcmAnnotations.RejectedClusterOf(addresses)!;
        rejected.Uid.Should().Be(await UidOfAsync(_other));
        rejected.Version.Should().StartWith("v");
        CcmAnnotations.ClusterUidOf(addresses).Should().Be(uid);
        addresses.Spec!.Addresses.Should().ContainSingle().Which.Ip.Should().Be("192.0.2.1");
        var (ready, text) = await Eventually.GetAsync("it is not ready", () => _fixture.ReadyAsync(other), r => !r.Ready);
        text.Should().StartWith("cluster binding: ").And.Contain(uid).And.Contain(rejected.Uid).And.Contain(Annotations.ClusterUid);
        log.Warnings.Should().ContainSingle().Which.Should().Contain("the CCM writes nothing");

        // A change in that cluster causes no write.
        await CreateInOtherAsync(TestObjects.Gateway("other"));
        await CreateInOtherAsync(TestObjects.Node("other", "192.0.2.99"));
        var seen = other.Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Tenant).Informer<Gateway>();
        await Eventually.HoldsAsync(() => seen.Get("default", "other") is not null, "it observes the Gateway");
        (await _fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await _fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();
        _fixture
            .ManagementServer.Requests.Snapshot()
            .Where(r => r.UserAgent == "other-ccm" && r.Verb is not ("get" or "list" or "watch"))
            .Select(r => $"{r.Verb} {r.Resource}")
            .Should()
            .Equal("patch addresses");
        await other.StopAsync();
    }

    [Fact]
    public async Task Rejected_CCM_does_not_affect_the_CCM_of_the_bound_cluster()
    {
        await _fixture.StartCcmAsync();
        await ServeAsync();
        using var other = await _fixture.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        var second = await _fixture.CreateAsync(TestObjects.Gateway("second"));

        await CcmFixture.WaitAsync<Route>(_fixture.Management, CcmFixture.Namespace, second.Metadata.Uid, _ => true, "exists");
        (await _fixture.WaitReadyAsync()).Ready.Should().BeTrue();
        await other.StopAsync();
    }

    [Fact]
    public async Task Annotation_binds_the_tenant_to_another_cluster()
    {
        await _fixture.StartCcmAsync();
        var (gateway, _) = await ServeAsync();
        await _fixture.StopCcmAsync();
        using var other = await _fixture.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        await AnnotateAsync(Annotations.ClusterUid, await UidOfAsync(_other));

        // The Routes of the old cluster are deleted.
        await Eventually.GetAsync(
            "the old Route is deleted",
            () => _fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default),
            r => r is null
        );
        await Eventually.GetAsync("it is ready", () => _fixture.ReadyAsync(other), r => r.Ready);
        await other.StopAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Addresses_without_cluster_UID_are_adopted(string? recorded)
    {
        await _fixture
            .Management.Client<Addresses>()
            .CreateAsync(
                new Addresses
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = Addresses.DefaultName,
                        NamespaceProperty = CcmFixture.Namespace,
                        Annotations = recorded is null ? null : new Dictionary<string, string> { [Annotations.ClusterUid] = recorded },
                    },
                    Spec = new AddressesSpec { Addresses = [new EndpointAddress { Ip = "192.0.2.1" }] },
                },
                default
            );

        await _fixture.StartCcmAsync();

        CcmAnnotations.ClusterUidOf(await BoundAsync()).Should().Be(await UidOfAsync(_fixture.TenantServer));
    }

    [Fact]
    public async Task Removed_cluster_UID_is_recorded_again_by_the_running_CCM()
    {
        await _fixture.StartCcmAsync();
        var before = await BoundAsync();

        await AnnotateAsync(Annotations.ClusterUid, null);

        CcmAnnotations.ClusterUidOf(await BoundAsync()).Should().Be(CcmAnnotations.ClusterUidOf(before));
    }

    [Fact]
    public async Task Invalid_cluster_UID_rejects_every_cluster()
    {
        await _fixture.StartCcmAsync();
        await BoundAsync();

        await AnnotateAsync(Annotations.ClusterUid, "<none>");

        (await _fixture.WaitForProblemAsync("cluster binding")).Should().Contain("invalid");
    }

    [Fact]
    public async Task Removed_rejection_annotation_is_not_rewritten_within_the_interval()
    {
        await _fixture.StartCcmAsync();
        await BoundAsync();
        await AnnotateAsync(Annotations.ClusterUid, "<none>");
        await RejectedAsync();
        _fixture.ManagementServer.Requests.Clear();

        for (var i = 0; i < 5; i++)
        {
            await AnnotateAsync(Annotations.RejectedCluster, null);
            await _fixture.WaitForProblemAsync("cluster binding");
        }

        _fixture.ManagementServer.Requests.Snapshot().Where(r => CcmFixture.IsOfCcm(r) && r.IsWrite).Should().BeEmpty();
    }

    [Fact]
    public async Task Rejected_CCM_with_missing_Addresses_kind_removes_nothing()
    {
        await _fixture.StartCcmAsync();
        var (gateway, route) = await ServeAsync();
        await _fixture.StopCcmAsync();
        using var other = await _fixture.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        await _fixture
            .Management.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", "addresses.kubelb.k8c.io"), null, default);
        var informer = other
            .Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Management)
            .Informer<Addresses>();
        await Eventually.HoldsAsync(() => informer.List().Count == 0, "it observes that Addresses are deleted");
        await CreateInOtherAsync(TestObjects.Gateway("other"));
        var seen = other.Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Tenant).Informer<Gateway>();
        await Eventually.HoldsAsync(() => seen.Get("default", "other") is not null, "it observes a Gateway");

        (await _fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await _fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();
        await other.StopAsync();
    }

    [Fact]
    public async Task Cluster_without_nodes_is_bound()
    {
        await _fixture.Tenant.Client<V1Node>().DeleteAsync(new ResourceKey("", "n1"), null, default);

        await _fixture.StartCcmAsync();

        (await BoundAsync()).Spec?.Addresses.Should().BeNullOrEmpty();
        await Eventually.GetAsync(
            "the log reports that there are no addresses",
            () => Task.FromResult(_fixture.Log.Warnings),
            w => w.Any(t => t.Contains("InternalIP", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task Report_is_updated_after_the_interval()
    {
        await _fixture.StartCcmAsync(o => o with { ReportInterval = TimeSpan.FromSeconds(2) });
        var first = CcmAnnotations.LastSeenOf(await BoundAsync());

        await CcmFixture.WaitAsync<Addresses>(
            _fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.LastSeenOf(a) - first >= TimeSpan.FromSeconds(1),
            "is updated"
        );
    }

    private async Task<(string Gateway, string Route)> ServeAsync()
    {
        await _fixture.CreateAsync(TestObjects.Service());
        var gateway = await _fixture.CreateAsync(TestObjects.Gateway());
        var route = await _fixture.CreateAsync(TestObjects.Route());
        await CcmFixture.WaitAsync<Route>(_fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        await CcmFixture.WaitAsync<Route>(_fixture.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "exists");
        return (gateway.Metadata.Uid, route.Metadata.Uid);
    }

    private Task<Addresses> BoundAsync() =>
        CcmFixture.WaitAsync<Addresses>(
            _fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.ClusterUidOf(a) is not null,
            "is bound"
        );

    private Task<Addresses> RejectedAsync() =>
        CcmFixture.WaitAsync<Addresses>(
            _fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.RejectedClusterOf(a) is not null,
            "names the rejected cluster"
        );

    private Task<Addresses> AnnotateAsync(string name, string? value) =>
        _fixture
            .Management.Client<Addresses>()
            .MergePatchAsync(
                new ResourceKey(CcmFixture.Namespace, Addresses.DefaultName),
                new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [name] = value } } },
                default
            );

    private static async Task<string> UidOfAsync(Cluster cluster)
    {
        using var client = cluster.CreateClient("test");
        return (await k8s.CoreV1OperationsExtensions.ReadNamespaceAsync(client.CoreV1, "kube-system")).Metadata.Uid;
    }

    private async Task CreateInOtherAsync(V1Node node)
    {
        using var client = _other.CreateClient("test");
        await k8s.CoreV1OperationsExtensions.CreateNodeAsync(client.CoreV1, node);
    }

    private async Task CreateInOtherAsync(Gateway gateway)
    {
        using var client = _other.CreateClient("test");
        await k8s.CustomObjectsOperationsExtensions.CreateNamespacedCustomObjectAsync(
            client.CustomObjects,
            gateway,
            "gateway.networking.k8s.io",
            "v1",
            "default",
            "gateways"
        );
    }
}
