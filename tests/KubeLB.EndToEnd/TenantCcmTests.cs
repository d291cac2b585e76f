using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Conditions of a Tenant about its CCM, from annotations on Addresses. The test acts as the CCM.</summary>
public sealed class TenantCcmTests : IAsyncLifetime
{
    private const string Ns = BareManagement.TenantNamespace;
    private const string Bound = "9f1c2c1e-7d38-4a6e-9a9e-0d1f5c3b2a11";
    private const string Other = "0b7a55a0-64f2-4b0e-8f5b-6c2f0f6f8d22";

    private const int QuietRounds = 40;

    private BareManagement _management = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _management = await BareManagement.StartAsync();
        _manager = await _management.StartManagerAsync();
        await _management.AddTenantAsync(_manager);
        await _management.SetAddressesAsync("10.0.0.2");
    }

    public async ValueTask DisposeAsync() => await _management.DisposeAsync();

    [Fact]
    public async Task Rejected_cluster_is_reported_on_the_Tenant_for_ten_minutes()
    {
        // The CCM last tried 9 minutes and 50 seconds ago.
        await AnnotateAsync(
            (Annotations.ClusterUid, Bound),
            (Annotations.RejectedCluster, new RejectedCluster(Other, Ago(590), "1.2.3").Write())
        );

        var condition = await ConditionAsync(TenantCcmConditions.ClusterAccepted, c => c is not null);
        (condition!.Status, condition.Reason).Should().Be(("False", "ClusterMismatch"));
        condition.Message.Should().Contain(Bound).And.Contain(Other).And.Contain("kubeconfig");
        await EventAsync("Warning", "ClusterMismatch", Other);

        await ConditionAsync(TenantCcmConditions.ClusterAccepted, c => c is null);
        await _management.Objects.WaitAsync<Addresses>(
            Ns,
            "default",
            a =>
                !a.Metadata.Annotations.ContainsKey(Annotations.RejectedCluster) && a.Metadata.Annotations[Annotations.ClusterUid] == Bound,
            "lost the annotation alone"
        );
        await EventAsync("Normal", "ClusterAccepted", "No CCM of another cluster");
    }

    [Fact]
    public async Task Rejected_cluster_is_not_reported_once_the_Tenant_is_bound_to_it()
    {
        await AnnotateAsync(
            (Annotations.ClusterUid, Bound),
            (Annotations.RejectedCluster, new RejectedCluster(Other, Ago(0), "1.2.3").Write())
        );
        await ConditionAsync(TenantCcmConditions.ClusterAccepted, c => c is not null);

        await AnnotateAsync((Annotations.ClusterUid, Other));

        await ConditionAsync(TenantCcmConditions.ClusterAccepted, c => c is null);
        await _management.Objects.WaitAsync<Addresses>(
            Ns,
            "default",
            a => !a.Metadata.Annotations.ContainsKey(Annotations.RejectedCluster),
            "lost the annotation"
        );
    }

    [Fact]
    public async Task CCM_not_seen_for_an_hour_is_reported_until_its_next_heartbeat()
    {
        // The hour is over in ten seconds.
        var seen = Ago(3590);
        await AnnotateAsync((Annotations.LastSeen, StatusTime.Of(seen)), (Annotations.CcmVersion, "1.2.3"));

        var condition = await ConditionAsync(TenantCcmConditions.CcmConnected, c => c is not null);
        (condition!.Status, condition.Reason).Should().Be(("False", "CcmNotSeen"));
        condition.Message.Should().Contain(StatusTime.Of(seen)).And.Contain("1.2.3");
        (DateTimeOffset.UtcNow - seen)
            .Should()
            .BeGreaterThanOrEqualTo(
                TimeSpan.FromSeconds(3599),
                "not earlier, except for the fraction of a second that the annotation lacks"
            );
        await EventAsync("Warning", "CcmNotSeen", StatusTime.Of(seen));
        (await _management.Objects.GetAsync<Tenant>("", "t1"))!
            .Status!.Phase.Should()
            .Be(TenantPhases.Ready, "what is configured is served");

        await AnnotateAsync((Annotations.LastSeen, StatusTime.Of(DateTimeOffset.UtcNow)));

        await ConditionAsync(TenantCcmConditions.CcmConnected, c => c is null);
        await EventAsync("Normal", "CcmConnected", "has reconnected");
    }

    [Fact]
    public async Task CCM_heartbeats_cost_only_summaries_at_a_limited_rate_and_no_reconcile()
    {
        await AnnotateAsync((Annotations.LastSeen, StatusTime.Of(Ago(600))));
        await SeenAsync("10.0.0.3");
        var before = await CountsAsync();
        _management.Cluster.ForgetRequests();

        for (var beat = 1; beat <= 10; beat++)
        {
            await AnnotateAsync((Annotations.LastSeen, StatusTime.Of(Ago(600 - beat))));
        }

        await SeenAsync("10.0.0.4");
        var after = await CountsAsync();
        after.Tenant.Should().Be(before.Tenant);
        after.Configuration.Should().Be(before.Configuration + 1, "the nodes changed once");
        after.Addresses.Should().BeInRange(before.Addresses + 1, before.Addresses + 2, "the nodes changed, and then the status");
        _management
            .Cluster.Requests()
            .Where(r => r is { IsWrite: true, UserAgent: "manager" } && r.Resource != "leases")
            .Select(r => $"{r.Verb} {r.Resource}/{r.Name} {r.Subresource}")
            .Where(write => write != "patch tenants/t1 status")
            .Should()
            .Equal("patch addresses/default status");
    }

    private static DateTimeOffset Ago(int seconds) => DateTimeOffset.UtcNow - TimeSpan.FromSeconds(seconds);

    private Task<Addresses> AnnotateAsync(params (string Key, string Value)[] annotations) =>
        _management.Objects.PatchAsync<Addresses>(
            Ns,
            "default",
            ApiJson
                .ToJson(new { Metadata = new V1ObjectMeta { Annotations = annotations.ToDictionary(a => a.Key, a => a.Value) } })
                .ToJsonString()
        );

    // Changes of Addresses are processed in order: once the last one has a status, so are the earlier ones.
    private async Task SeenAsync(string address)
    {
        await _management.SetAddressesAsync(address);
        await _management.Objects.WaitAsync<Addresses>(
            Ns,
            "default",
            a => a.Status?.ObservedGeneration == a.Metadata.Generation,
            "has its status"
        );
        var (last, quietRounds) = (await CountsAsync(), 0);
        await Eventually.HoldsAsync(
            async () =>
            {
                var now = await CountsAsync();
                quietRounds = now == last ? quietRounds + 1 : 0;
                last = now;
                return quietRounds >= QuietRounds;
            },
            "the controllers are idle"
        );
    }

    private async Task<(int Tenant, int Configuration, int Addresses)> CountsAsync() =>
        (
            await ReconcileCounts.OfAsync(_manager, "tenant"),
            await ReconcileCounts.OfAsync(_manager, "configuration"),
            await ReconcileCounts.OfAsync(_manager, "addresses")
        );

    private async Task<Condition?> ConditionAsync(string type, Func<Condition?, bool> holds) =>
        Find(await _management.Objects.WaitAsync<Tenant>("", "t1", t => holds(Find(t, type)), $"has {type} as expected"), type);

    private static Condition? Find(Tenant tenant, string type) => tenant.Status?.Conditions?.FirstOrDefault(c => c.Type == type);

    private Task EventAsync(string type, string reason, string words) =>
        Eventually.HoldsAsync(
            async () =>
                (await _management.Objects.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == "t1"
                    && e.Type == type
                    && e.Reason == reason
                    && e.Message.Contains(words, StringComparison.Ordinal)
                ),
            $"there is a {type} Event {reason}"
        );
}
