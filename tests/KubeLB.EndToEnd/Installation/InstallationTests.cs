using k8s;
using k8s.Models;
using KubeLB.EndToEnd.Images;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Installation;

/// <summary>
/// The commands of the operator's guide install both sides on empty clusters and remove them: the real Helm and kubectl run each block, and
/// the images run exactly as the rendered Deployments specify.
/// </summary>
[Collection(PublishedImages.Collection)]
public sealed class InstallationTests(PublishedImages images, ITestOutputHelper output)
{
    private const string Emptying = """
        export KUBECONFIG=$PWD/management.kubeconfig
        kubectl get crds -o name | grep kubelb.k8c.io | xargs kubectl delete
        kubectl delete gatewayclass eg
        kubectl delete namespace kubelb
        kubectl apply -f - <<EOF
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: envoy-gateway, namespace: envoy-gateway-system }
        spec:
          replicas: 1
          selector: { matchLabels: { app: envoy-gateway } }
          template:
            metadata: { labels: { app: envoy-gateway } }
            spec: { containers: [{ name: envoy-gateway, image: placeholder }] }
        EOF
        export KUBECONFIG=$PWD/shop.kubeconfig
        kubectl get crds -o name | grep kubelb.k8c.io | xargs kubectl delete
        kubectl delete gatewayclass kubelb
        kubectl delete namespace kubelb
        """;

    [Fact]
    public async Task Commands_of_the_guide_install_and_remove_both_sides()
    {
        Assert.SkipWhen(ImageProcess.Missing is not null, $"an image cannot be run here: {ImageProcess.Missing}");
        Assert.SkipWhen(PodNetwork.Missing is not null, $"a pod has no network here: {PodNetwork.Missing}");
        Assert.SkipWhen(KubectlBinary.Location is null, "kubectl is not on PATH");
        Assert.SkipWhen(HelmBinary.Location is null, "no helm binary: none is on PATH, and KUBELB_HELM names none");
        await using var sandbox = await SandboxEnvironment.StartAsync(new SandboxOptions { StartControllers = false });
        var management = (EmbeddedSandboxCluster)sandbox.Management;
        var tenant = (EmbeddedSandboxCluster)sandbox.Tenants[0].Cluster;
        using var managementClient = management.CreateClient("test");
        using var tenantClient = tenant.CreateClient("test");
        using var guide = new GuideSteps(
            new Dictionary<string, string>
            {
                ["management.kubeconfig"] = management.KubeconfigYaml,
                ["shop.kubeconfig"] = tenant.KubeconfigYaml,
            },
            new Dictionary<string, string>
            {
                // The nodes of the sandbox have loopback addresses, which no cluster has.
                ["apiServerURL=https://203.0.113.10:6443"] =
                    $"apiServerURL={management.Url} --set kubelb.config.addresses.allow[0]=127.0.0.0/8",
                // No kubelet serves the logs of the pod of helm test; this test prints them.
                [" --logs"] = "",
            }
        );
        guide
            .Names.Should()
            .Equal(
                "class",
                "manager",
                "check-manager",
                "tenant",
                "ccm",
                "check-ccm",
                "request",
                "test",
                "uninstall-ccm",
                "delete-tenant",
                "clean-tenant",
                "uninstall-manager",
                "verify"
            );

        // The sandbox is Envoy Gateway and its stand-in; the clusters have nothing of KubeLB.
        var emptied = await guide.RunCommandsAsync(Emptying);
        emptied.ExitCode.Should().Be(0, "{0}", emptied);
        await AvailableAsync(managementClient, "envoy-gateway-system", "envoy-gateway");
        output.WriteLine(await guide.RunAsync("class"));

        var installing = guide.RunAsync("manager");
        var managerSpec = await DeployedAsync(managementClient, "kubelb-manager", installing);
        await using var manager = await StartAsync(management, managementClient, managerSpec, images.Manager);
        await manager.WaitAsync(manager.Container.StartupProbe);
        await manager.WaitAsync(manager.Container.LivenessProbe);
        await manager.WaitAsync(manager.Container.ReadinessProbe);
        await AvailableAsync(managementClient, "kubelb", "kubelb-manager");
        output.WriteLine(await installing);
        var stop = sandbox.FollowManager(manager.Publish("xds"));
        output.WriteLine(await guide.RunUntilItSucceedsAsync("check-manager"));
        output.WriteLine(await guide.RunAsync("tenant"));

        installing = guide.RunAsync("ccm");
        await using var ccm = await StartAsync(
            tenant,
            tenantClient,
            await DeployedAsync(tenantClient, "kubelb-ccm", installing),
            images.Ccm,
            management.Url.Port
        );
        await ccm.WaitAsync(ccm.Container.StartupProbe);
        await ccm.WaitAsync(ccm.Container.ReadinessProbe);
        await AvailableAsync(tenantClient, "kubelb", "kubelb-ccm");
        output.WriteLine(await installing);
        output.WriteLine(await guide.RunUntilItSucceedsAsync("check-ccm"));
        (await guide.RunAsync("request")).Should().Contain("api.example.com");

        var tests = guide.Commands("test");
        tests.Should().HaveCount(2);
        await HelmTestAsync(
            guide,
            tests[0],
            management,
            managementClient,
            "kubelb-manager",
            images.Manager,
            "CCM v0.1.0 has reported 1 node address(es)"
        );
        await HelmTestAsync(
            guide,
            tests[1],
            tenant,
            tenantClient,
            "kubelb-ccm",
            images.Ccm,
            "GatewayClass kubelb: is accepted.",
            management.Url.Port
        );
        await MetricsAsync(manager, "kubelb_manager_build_info");
        await MetricsAsync(ccm, "kubelb_ccm_build_info");

        // No kubelet stops the pods of a Deployment that is deleted.
        await StopAsync(ccm, TimeSpan.FromSeconds(30));
        (await guide.RunAsync("uninstall-ccm")).Should().Contain("my-gateway");
        await guide.RunAsync("delete-tenant");
        await guide.RunAsync("clean-tenant");
        await StopAsync(manager, TimeSpan.FromSeconds(managerSpec.TerminationGracePeriodSeconds!.Value));
        await stop();
        await guide.RunAsync("uninstall-manager");
        (await guide.RunAsync("verify")).Should().BeEmpty();
    }

    private static async Task StopAsync(RenderedPod pod, TimeSpan gracePeriod)
    {
        pod.Process.Terminate();
        await pod.Process.EndAsync(gracePeriod);
        pod.Process.ExitCode.Should().Be(0, "SIGTERM stops it within the grace period of the pod");
        pod.Process.Output.Should().NotContain("forbidden");
    }

    // What helm, in a step that is running, has deployed.
    private static async Task<V1PodSpec> DeployedAsync(IKubernetes client, string name, Task<string> installing)
    {
        var deployments = await Eventually.GetAsync(
            $"Deployment {name} exists",
            async () =>
            {
                if (installing.IsCompleted)
                {
                    await installing;
                }

                return await client.AppsV1.ListNamespacedDeploymentAsync("kubelb", fieldSelector: $"metadata.name={name}");
            },
            list => list.Items.Count == 1
        );
        return deployments.Items[0].Spec.Template.Spec;
    }

    // As the cluster reports it when the pods of a Deployment are ready.
    private static async Task AvailableAsync(IKubernetes client, string @namespace, string name)
    {
        var deployment = await client.AppsV1.ReadNamespacedDeploymentAsync(name, @namespace);
        var replicas = deployment.Spec.Replicas;
        var status = new V1DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = replicas,
            UpdatedReplicas = replicas,
            ReadyReplicas = replicas,
            AvailableReplicas = replicas,
        };
        await client.AppsV1.PatchNamespacedDeploymentStatusAsync(
            new V1Patch(KubernetesJson.Serialize(new V1Deployment { Status = status }), V1Patch.PatchType.MergePatch),
            name,
            @namespace
        );
    }

    private static Task<RenderedPod> StartAsync(
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        V1PodSpec spec,
        ImageContent image,
        params int[] others
    ) => RenderedPod.StartAsync(client, cluster.Server.CertificateAuthorityPem!, "kubelb", spec, image, [cluster.Url.Port, .. others]);

    private static async Task MetricsAsync(RenderedPod pod, string metric)
    {
        using var http = new HttpClient();
        (await http.GetStringAsync(new Uri($"http://{pod.Publish("metrics")}/metrics"))).Should().Contain(metric);
    }

    // Helm rarely ends its watch with a status from before the pod's last one, which the API server did report: such a test is repeated
    // once.
    private async Task HelmTestAsync(
        GuideSteps guide,
        string command,
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        string release,
        ImageContent image,
        string expected,
        params int[] others
    )
    {
        var tested = await RunHelmTestAsync(guide, command, cluster, client, release, image, expected, others);
        if (tested.Errors.Contains("status: InProgress", StringComparison.Ordinal))
        {
            output.WriteLine(tested.Errors);
            await client.CoreV1.DeleteNamespacedPodAsync($"{release}-test", "kubelb");
            tested = await RunHelmTestAsync(guide, command, cluster, client, release, image, expected, others);
        }

        tested.ExitCode.Should().Be(0, "{0}", tested);
        tested.Output.Should().Contain("Phase:          Succeeded");
    }

    // No kubelet runs the pod that helm test creates: this test runs it unchanged and reports its result.
    private async Task<CommandResult> RunHelmTestAsync(
        GuideSteps guide,
        string command,
        EmbeddedSandboxCluster cluster,
        IKubernetes client,
        string release,
        ImageContent image,
        string expected,
        int[] others
    )
    {
        var testing = guide.RunCommandsAsync(command);
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
