using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Cluster = KubeLB.EmbeddedCluster.EmbeddedCluster;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>A tenant is bound to one cluster: a CCM that runs in another one changes nothing.</summary>
public sealed class ClusterBindingTests : IAsyncLifetime
{
    private CcmFixture _bed = null!;
    private Cluster _other = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await CcmFixture.CreateAsync();
        _other = await Cluster.StartAsync(new EmbeddedClusterOptions { Name = "other", Tls = false });
        await CcmFixture.InstallCrdsAsync(_other, _ => true);
        await _bed.CreateAsync(Given.Node("n1", "192.0.2.1"));
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task The_first_ccm_records_its_cluster_its_version_and_when_it_was_seen()
    {
        await _bed.StartCcmAsync();

        var addresses = await BoundAsync();

        CcmAnnotations.ClusterUidOf(addresses).Should().Be(await UidOfAsync(_bed.TenantServer));
        CcmAnnotations.CcmVersionOf(addresses).Should().StartWith("v");
        CcmAnnotations.LastSeenOf(addresses).Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        addresses.Spec!.Addresses.Should().ContainSingle().Which.Ip.Should().Be("192.0.2.1");
    }

    [Fact]
    public async Task A_ccm_of_another_cluster_deletes_nothing_and_writes_one_annotation_only()
    {
        await _bed.StartCcmAsync();
        var (gateway, route) = await ServeAsync();
        var uid = CcmAnnotations.ClusterUidOf(await BoundAsync());
        await _bed.StopCcmAsync();
        _bed.ManagementServer.Requests.Clear();
        var log = new CapturedLog();

        using var other = await _bed.StartCcmInAsync(_other, log);

        var addresses = await RejectedAsync();
        var rejected = CcmAnnotations.RejectedClusterOf(addresses)!;
        rejected.Uid.Should().Be(await UidOfAsync(_other));
        rejected.Version.Should().StartWith("v");
        CcmAnnotations.ClusterUidOf(addresses).Should().Be(uid);
        addresses.Spec!.Addresses.Should().ContainSingle().Which.Ip.Should().Be("192.0.2.1");
        var (ready, text) = await Eventually.GetAsync("it is not ready", () => _bed.ReadyAsync(other), r => !r.Ready);
        text.Should().StartWith("cluster binding: ").And.Contain(uid).And.Contain(rejected.Uid).And.Contain(Annotations.ClusterUid);
        log.Warnings.Should().ContainSingle().Which.Should().Contain("nothing is written");

        // A change in that cluster, which every controller would answer, is not answered either.
        await CreateInOtherAsync(Given.Gateway("theirs"));
        await CreateInOtherAsync(Given.Node("theirs", "192.0.2.99"));
        var seen = other.Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Tenant).Informer<Gateway>();
        await Eventually.HoldsAsync("it sees the Gateway", () => seen.Get("default", "theirs") is not null);
        (await _bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await _bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();
        _bed.ManagementServer.Requests.Snapshot()
            .Where(r => r.UserAgent == "other-ccm" && r.Verb is not ("get" or "list" or "watch"))
            .Select(r => $"{r.Verb} {r.Resource}")
            .Should()
            .Equal("patch addresses");
        await other.StopAsync();
    }

    [Fact]
    public async Task Beside_the_right_one_it_is_rejected_and_the_right_one_continues()
    {
        await _bed.StartCcmAsync();
        await ServeAsync();
        using var other = await _bed.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        var second = await _bed.CreateAsync(Given.Gateway("second"));

        await CcmFixture.WaitAsync<Route>(_bed.Management, CcmFixture.Namespace, second.Metadata.Uid, _ => true, "is carried");
        (await _bed.WaitReadyAsync()).Ready.Should().BeTrue();
        await other.StopAsync();
    }

    [Fact]
    public async Task An_administrator_binds_the_tenant_to_another_cluster_with_the_annotation()
    {
        await _bed.StartCcmAsync();
        var (gateway, _) = await ServeAsync();
        await _bed.StopCcmAsync();
        using var other = await _bed.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        await AnnotateAsync(Annotations.ClusterUid, await UidOfAsync(_other));

        // Its own state is served now; what the old cluster left is gone.
        await Eventually.GetAsync(
            "the old Route is gone",
            () => _bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default),
            r => r is null
        );
        await Eventually.GetAsync("it is ready", () => _bed.ReadyAsync(other), r => r.Ready);
        await other.StopAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Addresses_without_an_identity_are_adopted(string? recorded)
    {
        await _bed
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

        await _bed.StartCcmAsync();

        CcmAnnotations.ClusterUidOf(await BoundAsync()).Should().Be(await UidOfAsync(_bed.TenantServer));
    }

    [Fact]
    public async Task A_recorded_cluster_that_is_deleted_is_recorded_again_by_the_ccm_that_runs()
    {
        await _bed.StartCcmAsync();
        var before = await BoundAsync();

        await AnnotateAsync(Annotations.ClusterUid, null);

        CcmAnnotations.ClusterUidOf(await BoundAsync()).Should().Be(CcmAnnotations.ClusterUidOf(before));
    }

    [Fact]
    public async Task A_binding_that_is_not_a_uid_rejects_every_cluster()
    {
        await _bed.StartCcmAsync();
        await BoundAsync();

        await AnnotateAsync(Annotations.ClusterUid, "<none>");

        (await _bed.WaitForProblemAsync("cluster binding")).Should().Contain("invalid");
    }

    [Fact]
    public async Task A_binding_that_is_not_a_uid_is_answered_with_one_write_whoever_removes_the_answer()
    {
        await _bed.StartCcmAsync();
        await BoundAsync();
        await AnnotateAsync(Annotations.ClusterUid, "<none>");
        await RejectedAsync();
        _bed.ManagementServer.Requests.Clear();

        for (var i = 0; i < 5; i++)
        {
            await AnnotateAsync(Annotations.RejectedCluster, null);
            await _bed.WaitForProblemAsync("cluster binding");
        }

        _bed.ManagementServer.Requests.Snapshot().Where(r => CcmFixture.IsOfCcm(r) && r.IsWrite).Should().BeEmpty();
    }

    [Fact]
    public async Task A_rejected_ccm_removes_nothing_when_addresses_are_missing_and_cannot_be_created()
    {
        await _bed.StartCcmAsync();
        var (gateway, route) = await ServeAsync();
        await _bed.StopCcmAsync();
        using var other = await _bed.StartCcmInAsync(_other, new CapturedLog());
        await RejectedAsync();

        await _bed
            .Management.Client<V1CustomResourceDefinition>()
            .DeleteAsync(new ResourceKey("", "addresses.kubelb.k8c.io"), null, default);
        var informer = other
            .Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Management)
            .Informer<Addresses>();
        await Eventually.HoldsAsync("it sees that Addresses are gone", () => informer.List().Count == 0);
        await CreateInOtherAsync(Given.Gateway("theirs"));
        var seen = other.Services.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>(ClusterNames.Tenant).Informer<Gateway>();
        await Eventually.HoldsAsync("it sees a Gateway", () => seen.Get("default", "theirs") is not null);

        (await _bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await _bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();
        await other.StopAsync();
    }

    [Fact]
    public async Task A_cluster_without_nodes_is_bound_too()
    {
        await _bed.Tenant.Client<V1Node>().DeleteAsync(new ResourceKey("", "n1"), null, default);

        await _bed.StartCcmAsync();

        (await BoundAsync()).Spec?.Addresses.Should().BeNullOrEmpty();
        await Eventually.GetAsync(
            "the log says that there are no addresses",
            () => Task.FromResult(_bed.Log.Warnings),
            w => w.Any(t => t.Contains("InternalIP", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task It_reports_again_after_the_interval_and_not_before()
    {
        await _bed.StartCcmAsync(o => o with { ReportInterval = TimeSpan.FromSeconds(2) });
        var first = CcmAnnotations.LastSeenOf(await BoundAsync());

        await CcmFixture.WaitAsync<Addresses>(
            _bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.LastSeenOf(a) - first >= TimeSpan.FromSeconds(1),
            "was seen again"
        );
    }

    private async Task<(string Gateway, string Route)> ServeAsync()
    {
        await _bed.CreateAsync(Given.Service());
        var gateway = await _bed.CreateAsync(Given.Gateway());
        var route = await _bed.CreateAsync(Given.Route());
        await CcmFixture.WaitAsync<Route>(_bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        await CcmFixture.WaitAsync<Route>(_bed.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "is carried");
        return (gateway.Metadata.Uid, route.Metadata.Uid);
    }

    private Task<Addresses> BoundAsync() =>
        CcmFixture.WaitAsync<Addresses>(
            _bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.ClusterUidOf(a) is not null,
            "is bound"
        );

    private Task<Addresses> RejectedAsync() =>
        CcmFixture.WaitAsync<Addresses>(
            _bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => CcmAnnotations.RejectedClusterOf(a) is not null,
            "names the cluster that was rejected"
        );

    private Task<Addresses> AnnotateAsync(string name, string? value) =>
        _bed
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
