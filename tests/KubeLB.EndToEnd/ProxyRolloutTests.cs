using System.Diagnostics;
using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Real Envoys are replaced, scaled, deleted and killed while requests pass through a Gateway.</summary>
public sealed class ProxyRolloutTests(ProxyRolloutTests.Installation installation, ITestOutputHelper output)
    : IClassFixture<ProxyRolloutTests.Installation>,
        IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const string Name = "envoy-tenant-t1";
    private const int Replicas = 2;

    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await installation.StartAsync();
        await RolledOutAsync(Replicas);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Rolling_restart_fails_no_request()
    {
        var before = await PodsAsync();
        await using var load = await GatewayLoad.StartAsync(_fixture, perSecond: 100);

        await _fixture.Management.PatchAsync<V1Deployment>(
            Namespace,
            Name,
            """{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}"""
        );
        await Eventually.HoldsAsync(async () => (await PodsAsync()).Except(before).Any(), "the first new pod is there");
        await RolledOutAsync(Replicas);

        (await PodsAsync()).Should().NotIntersectWith(before);
        await ExpectNoFailuresAsync(load);
    }

    [Fact]
    public async Task Scaling_fails_no_request()
    {
        await ScaleAsync(1);
        await using var load = await GatewayLoad.StartAsync(_fixture, perSecond: 100);

        await ScaleAsync(4);
        await ScaleAsync(1);

        await ExpectNoFailuresAsync(load);
        await ScaleAsync(Replicas);
    }

    [Fact]
    public async Task Deleted_pod_fails_no_request_and_is_replaced()
    {
        var before = await PodsAsync();
        await using var load = await GatewayLoad.StartAsync(_fixture, perSecond: 100);

        await _fixture.Management.DeleteAsync<V1Pod>(Namespace, before[0]);
        await _fixture.Management.WaitGoneAsync<V1Pod>(Namespace, before[0]);
        await RolledOutAsync(Replicas);

        (await PodsAsync()).Should().HaveCount(Replicas).And.NotContain(before[0]);
        await ExpectNoFailuresAsync(load);
    }

    [Fact]
    public async Task Killed_process_fails_requests_for_a_second_at_most_and_restarts()
    {
        var (pod, id) = _fixture.Sandbox.ProxyProcessIds(_fixture.Sandbox.Tenants[0])[0];
        var restarts = await RestartsAsync(pod);
        await using var load = await GatewayLoad.StartAsync(_fixture, perSecond: 100);

        var killed = DateTime.UtcNow;
        using (var process = Process.GetProcessById(id))
        {
            process.Kill();
        }

        await Eventually.HoldsAsync(async () => await RestartsAsync(pod) == restarts + 1, "the container is started again");
        await RolledOutAsync(Replicas);

        var failures = await load.StopAsync();
        output.WriteLine($"{failures.Count} of {load.Sent} requests failed");
        failures
            .Where(f => f.Time - killed >= TimeSpan.FromSeconds(1))
            .Should()
            .BeEmpty("{0} of {1} requests failed", failures.Count, load.Sent);
    }

    private async Task ExpectNoFailuresAsync(GatewayLoad load)
    {
        var failures = await load.StopAsync();
        output.WriteLine($"{failures.Count} of {load.Sent} requests failed");
        failures.Should().BeEmpty();
    }

    private async Task ScaleAsync(int replicas)
    {
        await _fixture.ConfigureProxiesAsync($$"""{"replicas":{{replicas}}}""");
        await RolledOutAsync(replicas);
    }

    private async Task RolledOutAsync(int replicas) =>
        await Eventually.GetAsync(
            $"{replicas} proxies are rolled out and no other is left",
            async () =>
                (
                    await _fixture.Management.GetAsync<V1Deployment>(Namespace, Name),
                    Pods: await _fixture.Management.ListAsync<V1Pod>(Namespace)
                ),
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

    private async Task<IReadOnlyList<string>> PodsAsync() =>
        [.. (await _fixture.Management.ListAsync<V1Pod>(Namespace)).Select(p => p.Name())];

    private async Task<int> RestartsAsync(string pod) =>
        (await _fixture.Management.GetAsync<V1Pod>(Namespace, pod))!.Status.ContainerStatuses.Single().RestartCount;

    /// <summary>One installation for all tests: each test restores the number of proxies.</summary>
    public sealed class Installation : IAsyncLifetime
    {
        private SystemFixture? _fixture;

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public async Task<SystemFixture> StartAsync()
        {
            if (_fixture is null)
            {
                _fixture = await SystemFixture.StartAsync(proxies: ProxyKind.Envoy);
                await _fixture.ConfigureProxiesAsync($$"""{"replicas":{{Replicas}}}""");
                await _fixture.ApplyBasicExampleAsync();
            }

            return _fixture;
        }

        public async ValueTask DisposeAsync()
        {
            if (_fixture is not null)
            {
                await _fixture.DisposeAsync();
            }
        }
    }
}
