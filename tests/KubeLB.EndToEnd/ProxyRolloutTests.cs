using System.Diagnostics;
using k8s.Models;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Real Envoys are replaced, scaled, deleted and killed while requests pass through a Gateway.</summary>
public sealed class ProxyRolloutTests(ProxyRolloutTests.Installation installation, ITestOutputHelper output)
    : IClassFixture<ProxyRolloutTests.Installation>,
        IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const string Name = "envoy-tenant-t1";
    private const int Replicas = 2;

    private SystemFixture _bed = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await installation.StartAsync();
        await RolledOutAsync(Replicas);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Rolling_restart_fails_no_request()
    {
        var before = await PodsAsync();
        await using var load = await GatewayLoad.StartAsync(_bed, perSecond: 100);

        await _bed.Management.PatchAsync<V1Deployment>(
            Namespace,
            Name,
            """{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}"""
        );
        await Eventually.HoldsAsync("the first new pod is there", async () => (await PodsAsync()).Except(before).Any());
        await RolledOutAsync(Replicas);

        (await PodsAsync()).Should().NotIntersectWith(before);
        await NothingFailedAsync(load);
    }

    [Fact]
    public async Task Scaling_fails_no_request()
    {
        await ScaleAsync(1);
        await using var load = await GatewayLoad.StartAsync(_bed, perSecond: 100);

        await ScaleAsync(4);
        await ScaleAsync(1);

        await NothingFailedAsync(load);
        await ScaleAsync(Replicas);
    }

    [Fact]
    public async Task Deleted_pod_fails_no_request_and_is_replaced()
    {
        var before = await PodsAsync();
        await using var load = await GatewayLoad.StartAsync(_bed, perSecond: 100);

        await _bed.Management.DeleteAsync<V1Pod>(Namespace, before[0]);
        await _bed.Management.WaitGoneAsync<V1Pod>(Namespace, before[0]);
        await RolledOutAsync(Replicas);

        (await PodsAsync()).Should().HaveCount(Replicas).And.NotContain(before[0]);
        await NothingFailedAsync(load);
    }

    [Fact]
    public async Task Killed_process_fails_requests_for_a_second_at_most_and_restarts()
    {
        var (pod, id) = _bed.Sandbox.ProxyProcessIds(_bed.Sandbox.Tenants[0])[0];
        var restarts = await RestartsAsync(pod);
        await using var load = await GatewayLoad.StartAsync(_bed, perSecond: 100);

        var killed = DateTime.UtcNow;
        using (var process = Process.GetProcessById(id))
        {
            process.Kill();
        }

        await Eventually.HoldsAsync("the container is started again", async () => await RestartsAsync(pod) == restarts + 1);
        await RolledOutAsync(Replicas);

        var failures = await load.StopAsync();
        output.WriteLine($"{failures.Count} of {load.Sent} requests failed");
        failures
            .Where(f => f.Time - killed >= TimeSpan.FromSeconds(1))
            .Should()
            .BeEmpty("{0} of {1} requests failed", failures.Count, load.Sent);
    }

    private async Task NothingFailedAsync(GatewayLoad load)
    {
        var failures = await load.StopAsync();
        output.WriteLine($"{failures.Count} of {load.Sent} requests failed");
        failures.Should().BeEmpty();
    }

    private async Task ScaleAsync(int replicas)
    {
        await _bed.ConfigureProxiesAsync($$"""{"replicas":{{replicas}}}""");
        await RolledOutAsync(replicas);
    }

    private async Task RolledOutAsync(int replicas) =>
        await Eventually.GetAsync(
            $"{replicas} proxies are rolled out and no other is left",
            async () =>
                (await _bed.Management.GetAsync<V1Deployment>(Namespace, Name), Pods: await _bed.Management.ListAsync<V1Pod>(Namespace)),
            seen =>
                seen.Item1 is { } d
                && d.Spec.Replicas == replicas
                && d.Status?.ObservedGeneration == d.Metadata.Generation
                && d.Status?.UpdatedReplicas == replicas
                && d.Status.Replicas == replicas
                && d.Status.AvailableReplicas == replicas
                && seen.Pods.Count == replicas
                && seen.Pods.All(p => p.Status.Conditions.Any(c => c is { Type: "Ready", Status: "True" })),
            seen => $"{seen.Item1?.Status?.Replicas} pods, {seen.Item1?.Status?.AvailableReplicas} available, {seen.Pods.Count} objects"
        );

    private async Task<IReadOnlyList<string>> PodsAsync() => [.. (await _bed.Management.ListAsync<V1Pod>(Namespace)).Select(p => p.Name())];

    private async Task<int> RestartsAsync(string pod) =>
        (await _bed.Management.GetAsync<V1Pod>(Namespace, pod))!.Status.ContainerStatuses.Single().RestartCount;

    /// <summary>One installation for all: each test leaves it with as many proxies as it found.</summary>
    public sealed class Installation : IAsyncLifetime
    {
        private SystemFixture? _bed;

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public async Task<SystemFixture> StartAsync()
        {
            if (_bed is null)
            {
                _bed = await SystemFixture.StartAsync(proxies: ProxyKind.Envoy);
                await _bed.ConfigureProxiesAsync($$"""{"replicas":{{Replicas}}}""");
                await _bed.ApplyBasicExampleAsync();
            }

            return _bed;
        }

        public async ValueTask DisposeAsync()
        {
            if (_bed is not null)
            {
                await _bed.DisposeAsync();
            }
        }
    }
}
