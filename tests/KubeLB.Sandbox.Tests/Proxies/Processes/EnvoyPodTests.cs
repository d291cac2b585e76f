using System.Diagnostics;
using k8s;
using k8s.Models;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Tests.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Proxies.Processes;

/// <summary>Proxy pods as real Envoys, each in its own network namespace.</summary>
public sealed class EnvoyPodTests(TwoEnvoyTenantsFixture sandbox) : EnvoyPods(sandbox), IClassFixture<TwoEnvoyTenantsFixture>
{
    [Fact]
    public async Task Kubectl_logs_shows_the_output_of_the_process()
    {
        using var kubectl = new KubectlBinary(Sandbox.Sandbox.Management.KubeconfigYaml);
        var pods = await Sandbox.PodsAsync(First.Namespace);
        await Sandbox.SendRequestAsync(First);

        (await kubectl.OkAsync($"-n {First.Namespace} logs deployment/envoy-{First.Namespace}"))
            .Text.Should()
            .Contain("starting main dispatch loop");
        (await kubectl.OkAsync($"-n {First.Namespace} logs {pods[0].Name()} --tail=2 --timestamps"))
            .Lines.Should()
            .HaveCount(2)
            .And.OnlyContain(line => line.StartsWith("20", StringComparison.Ordinal));
        await FollowAsync(kubectl);
        var other = Sandbox.Sandbox.Tenants[1].Namespace;
        (await kubectl.RunAsync($"-n {other} logs {(await Sandbox.PodsAsync(other))[0].Name()} -p"))
            .Errors.Should()
            .Contain("previous terminated container");
        using var tenant = new KubectlBinary(First.Cluster.KubeconfigYaml);
        (await tenant.RunAsync("logs deployment/web")).Errors.Should().Contain("Pods of the sandbox are simulated: they have no logs.");
    }

    // The request is sent after kubectl is started; its access log line ends the test.
    private async Task FollowAsync(KubectlBinary kubectl)
    {
        using var process = kubectl.Start($"-n {First.Namespace} logs -l app.kubernetes.io/managed-by=kubelb -f --tail=0");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            var line = process.StandardOutput.ReadLineAsync(deadline.Token).AsTask();
            while (!line.IsCompleted)
            {
                await Sandbox.SendRequestAsync(First);
            }

            (await line).Should().Contain("any.example.com");
        }
        finally
        {
            process.Kill();
        }
    }
}

/// <summary>Proxy pods as real Envoys on loopback addresses.</summary>
public sealed class LoopbackEnvoyPodTests(LoopbackEnvoysFixture sandbox) : EnvoyPods(sandbox), IClassFixture<LoopbackEnvoysFixture>
{
    [Fact]
    public async Task Each_pod_has_a_loopback_address()
    {
        var pods = await Sandbox.PodsAsync(First.Namespace);

        pods.Select(p => p.Status.PodIP)
            .Should()
            .OnlyHaveUniqueItems()
            .And.OnlyContain(ip => ip.StartsWith("127.", StringComparison.Ordinal) && ip != "127.0.0.1");
        Sandbox.Sandbox.Proxies.Should().EndWith("each on its own loopback address");
    }
}

/// <summary>Tests that are independent of the pod networks.</summary>
public abstract class EnvoyPods(TwoEnvoyTenantsFixture sandbox) : IAsyncLifetime
{
    private protected TwoEnvoyTenantsFixture Sandbox => sandbox;

    private protected TenantCluster First => sandbox.Sandbox.Tenants[0];

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(sandbox.Missing is not null, sandbox.Missing ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Two_tenants_with_equal_listener_ports_reach_their_own_pods()
    {
        var ports = new HashSet<string>();
        foreach (var tenant in sandbox.Sandbox.Tenants)
        {
            await sandbox.PodsAsync(tenant.Namespace);
            ports.Add(
                (await sandbox.Management.CoreV1.ListNamespacedServiceAsync(tenant.Namespace))
                    .Items.Single()
                    .Spec.Ports.Single()
                    .TargetPort.Value
            );
            for (var i = 0; i < 4; i++)
            {
                (await sandbox.SendRequestAsync(tenant)).Cluster.Should().Be(tenant.Name);
            }
        }

        ports.Should().ContainSingle("the proxies of both tenants listen on the same port");
    }

    [Fact]
    public async Task Exited_process_is_restarted_and_counted()
    {
        await sandbox.PodsAsync(First.Namespace);
        var (pod, id) = sandbox.Sandbox.ProxyProcessIds(First)[0];
        var before = (await ReadAsync(pod)).Status.ContainerStatuses.Single().RestartCount;

        using (var process = Process.GetProcessById(id))
        {
            process.Kill();
        }

        var after = await sandbox.EventuallyAsync(
            async () =>
                (await ReadAsync(pod)).Status.ContainerStatuses.Single() is { Ready: true } c && c.RestartCount == before + 1 ? c : null,
            "the container runs again"
        );
        after.LastState.Terminated.ExitCode.Should().Be(137);
        after.State.Running.Should().NotBeNull();
        sandbox.Sandbox.ProxyProcessIds(First).Should().NotContain((pod, id));
    }

    [Fact]
    public async Task Deleted_pod_drains_before_it_is_removed()
    {
        var pod = (await sandbox.PodsAsync(First.Namespace))[0].Name();
        var id = sandbox.Sandbox.ProxyProcessIds(First).Single(p => p.Pod == pod).ProcessId;
        var clock = Stopwatch.StartNew();

        await sandbox.Management.CoreV1.DeleteNamespacedPodAsync(pod, First.Namespace);

        var leaving = await ReadAsync(pod);
        leaving.Metadata.DeletionGracePeriodSeconds.Should().Be(leaving.Spec.TerminationGracePeriodSeconds);
        IsRunning(id).Should().BeTrue("the preStop hook waits a second");
        await sandbox.EventuallyAsync(
            async () =>
                (await sandbox.Management.DiscoveryV1.ListNamespacedEndpointSliceAsync(First.Namespace))
                    .Items.SelectMany(s => s.Endpoints ?? [])
                    .All(e => e.TargetRef.Name != pod)
                    ? "gone"
                    : null,
            "the pod is not an endpoint"
        );
        await sandbox.EventuallyAsync(
            async () =>
                (await sandbox.Management.CoreV1.ListNamespacedPodAsync(First.Namespace)).Items.All(p => p.Name() != pod) ? "gone" : null,
            "the pod is deleted"
        );
        IsRunning(id).Should().BeFalse();
        clock.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(1));
        var log = await sandbox.LogAsync("proxies");
        log.IndexOf($"Pod {pod}: preStop hook exited with code 0", StringComparison.Ordinal)
            .Should()
            .BePositive()
            .And.BeLessThan(log.LastIndexOf($"Pod {pod}: process exited", StringComparison.Ordinal));
        await sandbox.PodsAsync(First.Namespace);
    }

    private static bool IsRunning(int id) => Directory.Exists($"/proc/{id}");

    private Task<V1Pod> ReadAsync(string pod) => sandbox.Management.CoreV1.ReadNamespacedPodAsync(pod, First.Namespace);
}
