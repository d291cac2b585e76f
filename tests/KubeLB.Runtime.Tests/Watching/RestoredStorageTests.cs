using k8s;
using k8s.Models;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Watching;

/// <summary>An informer of an API server whose storage is put back to an earlier state.</summary>
public sealed class RestoredStorageTests : IAsyncLifetime
{
    private const string Namespace = "default";

    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private IKubernetes _others = null!;
    private TestHost _host = null!;

    private IInformer<V1ConfigMap> Maps => _host.Cluster.Informer<V1ConfigMap>();

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new() { Tls = false });
        _others = _cluster.CreateClient("others");
        _host = TestHost.Build(
            () => _cluster.CreateClient("ours"),
            c => c.Informer<V1ConfigMap>(maps => maps.Namespace = Namespace),
            limits: TestHost.Quick with
            {
                StaleKeyGracePeriod = TimeSpan.FromMilliseconds(50),
                MinRelistInterval = TimeSpan.FromMilliseconds(100),
            }
        );
        await _host.Host.StartAsync();
        await Maps.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _others.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Restored_snapshot_replaces_the_store_and_later_changes_arrive()
    {
        await CreateAsync("unchanged");
        await CreateAsync("changed");
        await CreateAsync("deleted");
        await CreateAsync("recreated");
        var snapshot = _cluster.Faults.TakeSnapshot();
        await SetAsync("changed", "later");
        await DeleteAsync("deleted");
        await DeleteAsync("recreated");
        await CreateAsync("recreated");
        await CreateAsync("created");
        await ExpectSameAsync();
        var deletions = new List<string>();
        using var subscription = Maps.Subscribe(change =>
        {
            if (change.New is null)
            {
                deletions.Add(change.Key.Name);
            }
        });

        _cluster.Faults.RestoreSnapshot(snapshot);

        await ExpectSameAsync();
        deletions.Should().BeEquivalentTo("created", "recreated");
        await SetAsync("changed", "after");
        await CreateAsync("after");
        await ExpectSameAsync();
        _host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle(l => l.Text.Contains("its storage was restored"));
    }

    [Fact]
    public async Task Deleted_object_restored_with_its_uid_is_stored()
    {
        await CreateAsync("ours");
        await ExpectSameAsync();
        var snapshot = _cluster.Faults.TakeSnapshot();
        await _host.Applier.DeleteAsync(_host.Cluster, Maps.Get(Namespace, "ours")!, default);
        Maps.Get(Namespace, "ours").Should().BeNull();

        _cluster.Faults.RestoreSnapshot(snapshot);

        await ExpectSameAsync();
        await SetAsync("ours", "edited");
        await Eventually.HoldsAsync(() => Maps.Get(Namespace, "ours")?.Data?["k"] == "edited", "its change arrives");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Store_equals_the_storage_after_random_writes_and_restores(int seed)
    {
        var random = new Random(seed);
        var snapshots = new List<ClusterSnapshot> { _cluster.Faults.TakeSnapshot() };
        for (var step = 0; step < 150; step++)
        {
            var name = $"m{random.Next(8)}";
            switch (random.Next(20))
            {
                case 0:
                    _cluster.Faults.RestoreSnapshot(snapshots[random.Next(snapshots.Count)]);
                    break;
                case 1:
                    snapshots.Add(_cluster.Faults.TakeSnapshot());
                    break;
                case 2:
                    _cluster.Faults.CloseWatches();
                    break;
                case 3:
                    _cluster.Faults.ExpireWatches();
                    break;
                case < 7:
                    await OtherwiseAsync(() => DeleteAsync(name));
                    break;
                case < 11:
                    await OtherwiseAsync(() => CreateAsync(name));
                    break;
                case < 13:
                    await OtherwiseAsync(() => SetAsync(name, $"{step}"));
                    break;
                case < 16 when Maps.Get(Namespace, name) is { } known:
                    await OtherwiseAsync(() => _host.Applier.DeleteAsync(_host.Cluster, known, default));
                    break;
                default:
                    await OtherwiseAsync(() => _host.Applier.ApplyAsync(_host.Cluster, Map(name, $"{step}"), default));
                    break;
            }
        }

        await ExpectSameAsync();
        foreach (var map in Maps.List())
        {
            await _host.Applier.ApplyAsync(_host.Cluster, Map(map.Metadata.Name, "final"), default);
        }

        await ExpectSameAsync();
        Maps.List().Where(m => m.Data["k"] != "final").Should().BeEmpty();
    }

    private static V1ConfigMap Map(string name, string value) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace },
            Data = new Dictionary<string, string> { ["k"] = value },
        };

    // What is there or not there depends on the race between writers and the restore.
    private static async Task OtherwiseAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (e is StaleCacheException or k8s.Autorest.HttpOperationException) { }
    }

    private Task<V1ConfigMap> CreateAsync(string name) => _others.CoreV1.CreateNamespacedConfigMapAsync(Map(name, "first"), Namespace);

    private Task<V1Status> DeleteAsync(string name) => _others.CoreV1.DeleteNamespacedConfigMapAsync(name, Namespace);

    private Task<V1ConfigMap> SetAsync(string name, string value) =>
        _others.CoreV1.PatchNamespacedConfigMapAsync(
            new V1Patch($$$"""{"data":{"k":"{{{value}}}"}}""", V1Patch.PatchType.MergePatch),
            name,
            Namespace
        );

    private Task ExpectSameAsync() =>
        Eventually.HoldsAsync(
            async () =>
            {
                var live = (await _others.CoreV1.ListNamespacedConfigMapAsync(Namespace)).Items.Select(Line).Order().ToList();
                return live.SequenceEqual(Maps.List().Select(Line).Order());
            },
            "the store equals the storage"
        );

    private static string Line(V1ConfigMap map) =>
        $"{map.Metadata.Name} {map.Metadata.Uid} {map.Metadata.ResourceVersion} "
        + $"{(map.Data is { } data && data.TryGetValue("k", out var value) ? value : "")}";
}
