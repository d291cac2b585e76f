using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Monitoring;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The Envoy proxies of a tenant: when they exist, and which changes affect them.</summary>
public sealed class ProxyWorkloadTests : IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const string Name = "envoy-tenant-t1";
    private const string Settings = "kubelb";

    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await SystemFixture.StartAsync();

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Proxies_are_deployed_with_the_first_route_and_removed_after_the_last()
    {
        (await _fixture.Management.GetAsync<V1Deployment>(Namespace, Name)).Should().BeNull();
        await _fixture.ApplyBasicExampleAsync();
        var deployment = await AvailableAsync();
        deployment.Spec.Replicas.Should().Be(3);
        await _fixture.Management.WaitAsync<V1PodDisruptionBudget>(
            Namespace,
            Name,
            b => b.Spec.MaxUnavailable?.Value == "1",
            "allows one unavailable pod"
        );

        await _fixture.SettleAsync();
        _fixture.ForgetRequests();
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "other").Replace("api.example.com", "other.example.com"));
        await _fixture.ExpectBackendAsync("other.example.com");
        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "other");
        await _fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "other");
        await _fixture.SettleAsync();
        WritesToWorkload().Should().BeEmpty("the number of routes does not change the workload");

        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await _fixture.Management.WaitGoneAsync<V1Deployment>(Namespace, Name);
        await _fixture.Management.WaitGoneAsync<V1PodDisruptionBudget>(Namespace, Name);
        await _fixture.Management.WaitGoneAsync<V1NetworkPolicy>(Namespace, Name);
    }

    [Fact]
    [Trait("Threat", "proxy-egress")]
    public async Task NetworkPolicy_follows_the_settings_and_the_nodes_of_the_management_cluster()
    {
        await _fixture.ApplyBasicExampleAsync();
        (await _fixture.Management.GetAsync<V1NetworkPolicy>(Namespace, Name)).Should().BeNull("it is not enabled");
        await _fixture.ConfigureProxiesAsync("""{"networkPolicy":{"enabled":true}}""");
        var policy = await PolicyAsync(p => p.Spec.PolicyTypes.SequenceEqual(["Egress"]), "limits egress");
        var deployment = await AvailableAsync();
        policy.Spec.PodSelector.MatchLabels.Should().BeEquivalentTo(deployment.Spec.Selector.MatchLabels);
        var service = (await _fixture.Management.ListAsync<V1ServiceCIDR>("")).Single().Spec.Cidrs.Single();
        Except(policy).Should().Contain(service);

        await _fixture.Management.PatchAsync<Tenant>(
            "",
            "t1",
            """{"spec":{"addresses":{"deny":["192.168.0.0/16"],"nodePorts":"30000-32767,8443"}}}"""
        );
        policy = await PolicyAsync(p => Except(p).Contains("192.168.0.0/16"), "excludes a denied range");
        policy
            .Spec.Egress[2]
            .Ports.Select(p => $"{p.Protocol} {p.Port.Value}-{p.EndPort}")
            .Should()
            .Equal("TCP 30000-32767", "UDP 30000-32767", "TCP 8443-", "UDP 8443-");

        await _fixture.Management.CreateAsync(
            new V1Node
            {
                Metadata = new V1ObjectMeta { Name = "management-1" },
                Spec = new V1NodeSpec { PodCIDR = "10.244.7.0/24", PodCIDRs = ["10.244.7.0/24"] },
            }
        );
        await PolicyAsync(p => Except(p).Contains("10.244.7.0/24"), "excludes the pods of a new node");

        await _fixture.ConfigureProxiesAsync("""{"networkPolicy":null}""");
        await _fixture.Management.WaitGoneAsync<V1NetworkPolicy>(Namespace, Name);
        await _fixture.ExpectBackendAsync("api.example.com");

        static IList<string> Except(V1NetworkPolicy policy) => policy.Spec.Egress.Last().To[0].IpBlock.Except;
    }

    [Fact]
    public async Task Proxies_are_kept_while_the_only_route_is_recreated()
    {
        await _fixture.ApplyBasicExampleAsync();
        var before = (await AvailableAsync()).Uid();

        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await _fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await _fixture.Tenant.ApplyAsync(Documents.Route);
        await _fixture.ExpectBackendAsync("api.example.com");

        (await AvailableAsync()).Uid().Should().Be(before);
    }

    [Fact]
    public async Task Fields_added_by_others_cause_no_write_even_after_a_restart()
    {
        await _fixture.ApplyBasicExampleAsync();
        var written = await AvailableAsync();
        written.Spec.RevisionHistoryLimit.Should().NotBeNull("the API server fills in defaults");
        written.Spec.Template.Spec.DnsPolicy.Should().NotBeNull();

        // As kubectl rollout restart and a policy engine write it.
        await _fixture.Management.PatchAsync<V1Deployment>(
            Namespace,
            Name,
            """
            {"metadata":{"labels":{"team":"edge"}},
             "spec":{"minReadySeconds":3,
               "template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-02T03:04:05Z"}},
               "spec":{"priorityClassName":"high"}}}}
            """
        );
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();

        await _fixture.RestartManagerAsync();
        await _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["b.example.com"]}}""");
        await _fixture.ExpectBackendAsync("b.example.com");
        await _fixture.SettleAsync();

        WritesToWorkload().Should().BeEmpty();
        var kept = (await _fixture.Management.GetAsync<V1Deployment>(Namespace, Name))!;
        kept.Spec.Template.Metadata.Annotations.Should().ContainKey("kubectl.kubernetes.io/restartedAt");
        kept.Spec.Template.Spec.PriorityClassName.Should().Be("high");
    }

    [Fact]
    public async Task Edited_or_deleted_proxy_objects_are_reverted()
    {
        await _fixture.ApplyBasicExampleAsync();
        var image = (await AvailableAsync()).Spec.Template.Spec.Containers.Single().Image;

        await _fixture.Management.PatchAsync<V1Deployment>(
            Namespace,
            Name,
            """{"spec":{"replicas":0,"template":{"spec":{"automountServiceAccountToken":true}}}}"""
        );
        await DeploymentAsync(d => d.Spec is { Replicas: 3, Template.Spec.AutomountServiceAccountToken: false }, "is reverted");

        await _fixture.Management.DeleteAsync<V1Deployment>(Namespace, Name);
        await _fixture.Management.DeleteAsync<V1PodDisruptionBudget>(Namespace, Name);
        await DeploymentAsync(
            d => d.Metadata.DeletionTimestamp is null && d.Spec.Template.Spec.Containers.Single().Image == image,
            "is recreated"
        );
        await _fixture.Management.WaitAsync<V1PodDisruptionBudget>(
            Namespace,
            Name,
            b => b.Metadata.DeletionTimestamp is null,
            "is recreated"
        );
    }

    [Fact]
    public async Task Tenant_proxy_settings_override_the_Config()
    {
        await _fixture.ApplyBasicExampleAsync();
        await AvailableAsync();

        await ConfigureAsync(
            """{"replicas":2,"nodeSelector":{"edge":"yes"},"resources":{"limits":{"memory":"1024Mi"}}"""
                + ""","image":"registry.example.com/envoy:v1"}"""
        );
        var set = await DeploymentAsync(d => d.Spec.Replicas == 2, "has two replicas");
        set.Spec.Template.Spec.NodeSelector.Should().Contain("edge", "yes");
        set.Spec.Template.Spec.Containers.Single().Image.Should().Be("registry.example.com/envoy:v1");
        set.Spec.Template.Spec.Containers.Single().Resources.Limits["memory"].ToString().Should().Be("1Gi");

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"envoyProxy":{"replicas":5}}}""");
        await DeploymentAsync(d => d.Spec.Replicas == 5, "has the tenant's five replicas");

        // Settings that are no longer set are removed, in maps and in lists.
        await ConfigureAsync(
            """{"replicas":null,"nodeSelector":null,"resources":null,"image":null,"gracefulShutdown":{"disabled":true}}"""
        );
        var unset = await DeploymentAsync(d => d.Spec.Template.Spec.NodeSelector is null or { Count: 0 }, "may run anywhere");
        unset.Spec.Template.Spec.Containers.Single().Resources.Limits.Should().BeNullOrEmpty();
        unset.Spec.Template.Spec.Containers.Single().Lifecycle.Should().BeNull();
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();
        await _fixture.RestartManagerAsync();
        await _fixture.SettleAsync();
        WritesToWorkload().Should().BeEmpty();
    }

    [Fact]
    public async Task Change_to_a_DaemonSet_and_back_keeps_proxies_available()
    {
        await _fixture.ApplyBasicExampleAsync();
        await AvailableAsync();
        await _fixture.SettleAsync();
        _fixture.ForgetRequests();

        await ConfigureAsync("""{"useDaemonset":true}""");
        await _fixture.Management.WaitAsync<V1DaemonSet>(Namespace, Name, d => d.Status?.NumberAvailable == 1, "is available");
        await _fixture.Management.WaitGoneAsync<V1Deployment>(Namespace, Name);
        await _fixture.Management.WaitGoneAsync<V1PodDisruptionBudget>(Namespace, Name);

        // The DaemonSet's status first says that its pod is not ready, then that it is.
        var order = _fixture.Requests().Select(r => $"{r.Verb} {r.Resource}/{r.Name} {r.Subresource}".TrimEnd()).ToList();
        order
            .IndexOf($"delete deployments/{Name}")
            .Should()
            .BeGreaterThan(order.FindLastIndex(r => r == $"patch daemonsets/{Name} status"), "the old ones serve until a new one does");

        await ConfigureAsync("""{"useDaemonset":null}""");
        await AvailableAsync();
        await _fixture.Management.WaitGoneAsync<V1DaemonSet>(Namespace, Name);
    }

    [Fact]
    public async Task PodMonitor_exists_while_it_is_enabled()
    {
        await _fixture.ApplyBasicExampleAsync();
        await AvailableAsync();
        (await _fixture.Management.GetAsync<PodMonitor>(Namespace, Name)).Should().BeNull();

        await ConfigureAsync("""{"podMonitor":{"enabled":true}}""");
        var monitor = await _fixture.Management.WaitAsync<PodMonitor>(Namespace, Name, m => m.Spec is not null, "is there");
        monitor.Spec!.PodMetricsEndpoints.Should().ContainSingle().Which.Path.Should().Be("/stats/prometheus");

        await ConfigureAsync("""{"podMonitor":{"enabled":false}}""");
        await _fixture.Management.WaitGoneAsync<PodMonitor>(Namespace, Name);
    }

    [Fact]
    public async Task Mounted_Secret_holds_a_certificate_and_its_SDS_resources()
    {
        await _fixture.ApplyBasicExampleAsync();
        var pod = (await AvailableAsync()).Spec.Template.Spec;

        var volume = pod.Volumes.Single();
        var secret = await _fixture.Management.WaitAsync<V1Secret>(
            Namespace,
            volume.Secret.SecretName,
            s => s.Data?.ContainsKey("sds-trust.json") == true,
            "has SDS resources"
        );
        var folder = pod.Containers.Single().VolumeMounts.Single().MountPath;
        var described =
            Encoding.UTF8.GetString(secret.Data["sds-certificate.json"]) + Encoding.UTF8.GetString(secret.Data["sds-trust.json"]);
        foreach (var file in new[] { "tls.crt", "tls.key", "ca.crt" })
        {
            secret.Data.Should().ContainKey(file);
            described.Should().Contain($"\"{folder}/{file}\"");
        }

        described.Should().Contain("envoycp.kubelb.svc");
        described.Should().NotContain("PRIVATE KEY");
        pod.Containers.Single()
            .Args.Should()
            .Contain(a => a.Contains($"{folder}/sds-certificate.json") && a.Contains($"{folder}/sds-trust.json"));
    }

    [Fact]
    public async Task Deployment_of_the_Go_manager_is_adopted()
    {
        await _fixture.Management.CreateAsync(GoDeployment());
        await _fixture.ApplyBasicExampleAsync();

        var adopted = await DeploymentAsync(d => d.Spec.Template.Spec.Containers.Count == 1, "runs Envoy alone");
        adopted.Metadata.Labels.Should().Contain(Labels.ManagedBy, Labels.ManagedByKubelb);
        adopted.Spec.Selector.MatchLabels.Should().Equal(new Dictionary<string, string> { [Labels.AppName] = Namespace });
        adopted.Spec.Template.Spec.Containers.Single().Args.Should().Contain(a => a.Contains("DELTA_GRPC"));
    }

    [Fact]
    public async Task Deleted_Tenant_loses_its_proxies()
    {
        await _fixture.ApplyBasicExampleAsync();
        await AvailableAsync();

        await _fixture.StopCcmAsync();
        await _fixture.Management.DeleteAsync<Tenant>("", "t1");

        await _fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        (await _fixture.Management.GetAsync<V1Deployment>(Namespace, Name)).Should().BeNull();
    }

    private static V1Deployment GoDeployment() =>
        new()
        {
            ApiVersion = "apps/v1",
            Kind = "Deployment",
            Metadata = new V1ObjectMeta
            {
                Name = Name,
                NamespaceProperty = Namespace,
                Labels = new Dictionary<string, string>
                {
                    [Labels.AppName] = "kubelb-envoy-proxy",
                    [Labels.AppManagedBy] = "kubelb",
                    [Labels.AppInstance] = Namespace,
                },
            },
            Spec = new V1DeploymentSpec
            {
                Replicas = 3,
                Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [Labels.AppName] = Namespace } },
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta
                    {
                        Labels = new Dictionary<string, string> { [Labels.AppName] = Namespace, [Labels.AppManagedBy] = "kubelb" },
                    },
                    Spec = new V1PodSpec
                    {
                        Containers =
                        [
                            new V1Container
                            {
                                Name = "envoy-proxy",
                                Image = "envoyproxy/envoy:distroless-v1.36.4",
                                Args = ["--service-node", Namespace],
                            },
                            new V1Container
                            {
                                Name = "shutdown-manager",
                                Image = "envoyproxy/gateway:v1.3.0",
                                Args = ["envoy", "shutdown-manager"],
                            },
                        ],
                    },
                },
            },
        };

    private Task<V1Deployment> AvailableAsync() =>
        DeploymentAsync(
            d =>
                d.Status?.AvailableReplicas == d.Spec.Replicas
                && d.Status!.ObservedGeneration == d.Metadata.Generation
                && d.Metadata.DeletionTimestamp is null,
            "is available"
        );

    private Task<V1Deployment> DeploymentAsync(Func<V1Deployment, bool> condition, string what) =>
        _fixture.Management.WaitAsync(Namespace, Name, condition, what);

    private async Task ConfigureAsync(string envoyProxy)
    {
        if (await _fixture.Management.GetAsync<Config>(Settings, Config.DefaultName) is null)
        {
            await _fixture.Management.CreateAsync(
                new Config
                {
                    Metadata = new V1ObjectMeta { Name = Config.DefaultName, NamespaceProperty = Settings },
                    Spec = new ConfigSpec(),
                }
            );
        }

        await _fixture.Management.PatchAsync<Config>(Settings, Config.DefaultName, $"{{\"spec\":{{\"envoyProxy\":{envoyProxy}}}}}");
    }

    private List<string> WritesToWorkload() =>
        [
            .. _fixture
                .Writes()
                .Where(w =>
                    w.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal)
                    && w.Resource is "deployments" or "daemonsets" or "poddisruptionbudgets" or "podmonitors"
                )
                .Select(w => $"{w.UserAgent}: {w.Verb} {w.Resource}/{w.Name}"),
        ];

    private Task<V1NetworkPolicy> PolicyAsync(Func<V1NetworkPolicy, bool> condition, string what) =>
        _fixture.Management.WaitAsync(Namespace, Name, condition, what);
}
