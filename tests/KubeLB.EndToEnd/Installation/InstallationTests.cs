using System.Net.Http.Json;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Images;
using KubeLB.EndToEnd.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Installation;

/// <summary>
/// Both charts are installed with the real Helm as in the README, and the images run exactly as the rendered Deployments specify, until a
/// request passes and <c>helm test</c> succeeds on both sides.
/// </summary>
[Collection(PublishedImages.Collection)]
public sealed class InstallationTests(PublishedImages images, ITestOutputHelper output)
{
    [Fact]
    public async Task Charts_install_a_manager_and_CCM_that_serve_a_request()
    {
        Assert.SkipWhen(ImageProcess.Missing is not null, $"an image cannot be run here: {ImageProcess.Missing}");
        Assert.SkipWhen(PodNetwork.Missing is not null, $"a pod has no network here: {PodNetwork.Missing}");
        await using var sandbox = await SandboxEnvironment.StartAsync(new SandboxOptions { StartControllers = false });
        var management = (EmbeddedSandboxCluster)sandbox.Management;
        var tenant = (EmbeddedSandboxCluster)sandbox.Tenants[0].Cluster;
        using var managementHelm = new HelmBinary(management.KubeconfigYaml);
        using var tenantHelm = new HelmBinary(tenant.KubeconfigYaml);
        using var managementClient = management.CreateClient("test");
        using var tenantClient = tenant.CreateClient("test");

        // 2. and 3. of the README: the manager, a tenant, and its kubeconfig.
        await managementHelm.OkAsync($"install kubelb-manager {ChartFolder("kubelb-manager")} --namespace kubelb --create-namespace");
        var managerSpec = await DeployedAsync(managementClient, "kubelb-manager");
        await using var manager = await StartAsync(management, managementClient, managerSpec, images.Manager);
        await manager.WaitAsync(manager.Container.StartupProbe);
        await manager.WaitAsync(manager.Container.LivenessProbe);
        await manager.WaitAsync(manager.Container.ReadinessProbe);
        var stop = sandbox.FollowManager(manager.Publish("xds"));
        await using var tenantObjects = new TestCluster(tenant.CreateClient("test"));
        await using var managementObjects = new TestCluster(management.CreateClient("test"));
        await managementObjects.WaitAsync<Tenant>("", "t1", t => t.Status?.Phase == TenantPhases.Ready, "is ready");
        var kubeconfig = (await managementObjects.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm-kubeconfig"))!.Data["kubelb"];

        // 4.: the CCM with that kubeconfig. The GatewayClass of the sandbox is not the chart's, and stays.
        await tenantClient.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = "kubelb-cluster" },
                Data = new Dictionary<string, byte[]> { ["kubelb"] = kubeconfig },
            },
            "kubelb"
        );
        await tenantHelm.OkAsync($"install kubelb-ccm {ChartFolder("kubelb-ccm")} --namespace kubelb --set kubelb.tenantName=t1");
        await using var ccm = await StartAsync(
            tenant,
            tenantClient,
            await DeployedAsync(tenantClient, "kubelb-ccm"),
            images.Ccm,
            management.Url.Port
        );
        await ccm.WaitAsync(ccm.Container.StartupProbe);
        await ccm.WaitAsync(ccm.Container.ReadinessProbe);

        // 5.: the first route.
        await tenantObjects.ApplyAsync(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "examples", "basic.yaml")));
        var gateway = await tenantObjects.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        using var http = new HttpClient(sandbox.CreateGatewayHandler());
        var echo = await Eventually.GetAsync(
            "a pod answers",
            () => AskAsync(http, gateway.Status!.Addresses![0].Value!),
            e => e is not null
        );
        echo!.Host.Should().Be("api.example.com");

        await HelmTestAsync(
            managementHelm,
            management,
            managementClient,
            "kubelb-manager",
            images.Manager,
            "CCM v0.1.0 has reported 1 node address(es)"
        );
        await HelmTestAsync(
            tenantHelm,
            tenant,
            tenantClient,
            "kubelb-ccm",
            images.Ccm,
            "GatewayClass kubelb: is accepted.",
            management.Url.Port
        );

        await MetricsAsync(manager, "kubelb_manager_build_info");
        await MetricsAsync(ccm, "kubelb_ccm_build_info");
        foreach (var pod in new[] { ccm, manager })
        {
            pod.Process.Terminate();
            await pod.Process.EndAsync(TimeSpan.FromSeconds(pod == manager ? managerSpec.TerminationGracePeriodSeconds!.Value : 30));
            pod.Process.ExitCode.Should().Be(0, "SIGTERM stops it within the grace period of the pod");
            pod.Process.Output.Should().NotContain("forbidden");
        }

        await stop();
    }

    private static string ChartFolder(string chart) => Path.Combine(SourceTree.Root, "charts", chart);

    private static async Task<V1PodSpec> DeployedAsync(IKubernetes client, string name) =>
        (await client.AppsV1.ReadNamespacedDeploymentAsync(name, "kubelb")).Spec.Template.Spec;

    private static Task<RenderedPod> StartAsync(
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        V1PodSpec spec,
        ImageContent image,
        params int[] others
    ) => RenderedPod.StartAsync(client, cluster.Server.CertificateAuthorityPem!, "kubelb", spec, image, [cluster.Url.Port, .. others]);

    private static async Task<Echo?> AskAsync(HttpClient http, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/");
        request.Headers.Host = "api.example.com";
        using var answer = await http.SendAsync(request);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<Echo>() : null;
    }

    private static async Task MetricsAsync(RenderedPod pod, string metric)
    {
        using var http = new HttpClient();
        (await http.GetStringAsync(new Uri($"http://{pod.Publish("metrics")}/metrics"))).Should().Contain(metric);
    }

    // Helm rarely ends its watch with a status from before the pod's last one, which the API server did report: such a test is repeated
    // once.
    private async Task HelmTestAsync(
        HelmBinary helm,
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        string release,
        ImageContent image,
        string expected,
        params int[] others
    )
    {
        var tested = await RunHelmTestAsync(helm, cluster, client, release, image, expected, others);
        if (tested.Errors.Contains("status: InProgress", StringComparison.Ordinal))
        {
            output.WriteLine(tested.Errors);
            await client.CoreV1.DeleteNamespacedPodAsync($"{release}-test", "kubelb");
            tested = await RunHelmTestAsync(helm, cluster, client, release, image, expected, others);
        }

        tested.ExitCode.Should().Be(0, tested.Errors + tested.Text);
        tested.Text.Should().Contain("Phase:          Succeeded");
    }

    // No kubelet runs the pod that helm test creates: this test runs it unchanged and reports its result.
    private async Task<HelmOutput> RunHelmTestAsync(
        HelmBinary helm,
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        string release,
        ImageContent image,
        string expected,
        int[] others
    )
    {
        var testing = helm.RunAsync($"test {release} --namespace kubelb --timeout 60s");
        var pod = await Eventually.GetAsync(
            "helm test creates its pod",
            async () =>
                (
                    await client.CoreV1.ListNamespacedPodAsync("kubelb", fieldSelector: $"metadata.name={release}-test")
                ).Items.SingleOrDefault(),
            p => p is not null
        );
        var succeeding = SucceedsAsync(client, pod!);
        await using var run = await StartAsync(cluster, client, pod!.Spec, image, others);
        await run.Process.EndAsync(TimeSpan.FromSeconds(45));
        output.WriteLine(run.Process.Output);
        run.Process.Output.Should().Contain(expected, "{0}", run.Process.Error);
        run.Process.ExitCode.Should().Be(0);
        var phase = new V1Patch("""{"status":{"phase":"Succeeded"}}""", V1Patch.PatchType.MergePatch);
        await client.CoreV1.PatchNamespacedPodStatusAsync(phase, $"{release}-test", "kubelb");
        (await succeeding).Should().BeTrue("a watch from the version that this test saw reports the phase");
        return await testing;
    }

    // Whether a watch, such as Helm's, reports that the pod succeeded.
    private static async Task<bool> SucceedsAsync(IKubernetes client, V1Pod pod)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var changes = client.CoreV1.WatchListNamespacedPodAsync(
            pod.Namespace(),
            fieldSelector: $"metadata.name={pod.Name()}",
            resourceVersion: pod.ResourceVersion(),
            cancellationToken: deadline.Token
        );
        await foreach (var (_, changed) in changes)
        {
            if (changed.Uid() == pod.Uid() && changed.Status?.Phase == "Succeeded")
            {
                return true;
            }
        }

        return false;
    }
}
