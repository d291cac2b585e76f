using System.Text.Json.Nodes;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>Values that the charts accept, reject, and warn about.</summary>
public sealed class ValuesTests
{
    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Schema_describes_each_value_and_has_its_default(string chart)
    {
        var values = Yaml.Read(File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "values.yaml"))).Single();

        Compare(values, Schema.Of(chart), "");
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Contract_value_names_are_all_supported(string chart)
    {
        string[] both =
        [
            "replicaCount",
            "image.repository",
            "image.tag",
            "image.pullPolicy",
            "imagePullSecrets",
            "nameOverride",
            "fullnameOverride",
            "podAnnotations",
            "podLabels",
            "serviceAccount.create",
            "serviceAccount.annotations",
            "serviceAccount.name",
            "rbac.enabled",
            "serviceMonitor.enabled",
            "metrics.port",
            "grafana.dashboards.enabled",
            "grafana.dashboards.annotations",
            "podSecurityContext",
            "securityContext",
            "resources",
            "autoscaling.enabled",
            "autoscaling.minReplicas",
            "autoscaling.maxReplicas",
            "autoscaling.targetCPUUtilizationPercentage",
            "autoscaling.targetMemoryUtilizationPercentage",
            "nodeSelector",
            "tolerations",
            "affinity",
            "extraVolumes",
            "extraVolumeMounts",
        ];
        string[] manager =
        [
            "enableGatewayAPI",
            "enableLeaderElection",
            "debug",
            "logLevel",
            "skipConfigGeneration",
            "envoyProxy.topology",
            "envoyProxy.replicas",
            "envoyProxy.singlePodPerNode",
            "envoyProxy.useDaemonset",
            "envoyProxy.nodeSelector",
            "envoyProxy.tolerations",
            "envoyProxy.resources",
            "envoyProxy.affinity",
            "envoyProxy.gracefulShutdown",
            "envoyProxy.podMonitor",
            "propagatedAnnotations",
            "propagateAllAnnotations",
            "deniedAnnotations",
        ];
        string[] ccm =
        [
            "tenantName",
            "clusterSecretName",
            "nodeAddressType",
            "enableGatewayAPI",
            "installGatewayAPICRDs",
            "gatewayAPICRDsChannel",
            "useGatewayClass",
            "enableLeaderElection",
            "enableSecretSynchronizer",
            "disableGatewayController",
            "disableHTTPRouteController",
            "disableGRPCRouteController",
            "disableIngressController",
            "logLevel",
        ];

        foreach (var name in both.Concat((chart == Chart.Manager ? manager : ccm).Select(n => "kubelb." + n)))
        {
            Schema.Find(Schema.Of(chart), name).Should().NotBeNull($"{name} is a value of the contract");
        }
    }

    [Theory]
    [InlineData(Chart.Ccm, "kubelb.nodeAddressType=External", "/kubelb/nodeAddressType", "'ExternalIP', 'InternalIP', 'Hostname'")]
    [InlineData(Chart.Ccm, "kubelb.tenantName=Shop_1", "/kubelb/tenantName", "does not match pattern")]
    [InlineData(Chart.Ccm, "kubelb.tenentName=shop", "/kubelb", "'tenentName' not allowed")]
    [InlineData(Chart.Ccm, "kubelb.maxNodeAddressCount=-1", "/kubelb/maxNodeAddressCount", "minimum")]
    [InlineData(Chart.Ccm, "replicaCount=two", "/replicaCount", "want integer")]
    [InlineData(Chart.Ccm, "kubelb.logLevel=loud", "/kubelb/logLevel", "does not match pattern")]
    [InlineData(Chart.Ccm, "kubelb.clusterSecretName=", "/kubelb/clusterSecretName", "minLength")]
    [InlineData(Chart.Manager, "service.port=8002", "/service/port", "8001")]
    [InlineData(Chart.Manager, "kubelb.envoyProxy.replicas=0", "/kubelb/envoyProxy/replicas", "minimum")]
    [InlineData(Chart.Manager, "metrics.port=70000", "/metrics/port", "maximum")]
    [InlineData(Chart.Manager, "image.pullPolicy=Sometimes", "/image/pullPolicy", "'Always', 'IfNotPresent', 'Never'")]
    [InlineData(Chart.Manager, "networkPolicy.enabled=yes please", "/networkPolicy/enabled", "want boolean")]
    [InlineData(Chart.Manager, "replicas=3", "", "'replicas' not allowed")]
    [InlineData(Chart.Manager, "serviceMonitor.interval=soon", "/serviceMonitor/interval", "does not match pattern")]
    [InlineData(Chart.Manager, "metrics.port=8001", "/metrics/port", "'not' failed")]
    [InlineData(Chart.Manager, "commonLabels.app\\.kubernetes\\.io/name=other", "", "invalid propertyName 'app.kubernetes.io/name'")]
    [InlineData(Chart.Manager, "fullnameOverride=Foo_Bar", "/fullnameOverride", "does not match pattern")]
    public async Task Invalid_value_is_rejected_with_its_name(string chart, string value, string place, string reason)
    {
        using var helm = new HelmBinary();

        var output = await helm.RunAsync(["template", chart, Chart.FolderOf(chart), .. Chart.Required(chart), "--set", value]);

        output.ExitCode.Should().Be(1);
        output.Errors.Should().Contain($"at '{place}'").And.Contain(reason);
    }

    [Theory]
    [InlineData(
        Chart.Ccm,
        new[] { "replicaCount=2" },
        "kubelb.tenantName is required: the name of this cluster's Tenant in the management cluster."
    )]
    [InlineData(
        Chart.Manager,
        new[] { "autoscaling.enabled=true", "kubelb.enableLeaderElection=false" },
        "autoscaling.enabled requires kubelb.enableLeaderElection"
    )]
    [InlineData(
        Chart.Manager,
        new[] { "autoscaling.enabled=true", "autoscaling.minReplicas=11" },
        "autoscaling.minReplicas (11) is greater than autoscaling.maxReplicas (10)"
    )]
    [InlineData(Chart.Ccm, new[] { "kubelb.tenantName=shop", "networkPolicy.egress.enabled=true" }, "networkPolicy.egress.rules is empty")]
    [InlineData(
        Chart.Manager,
        new[] { "serviceAccount.create=false" },
        "every pod of the namespace would get the permissions of ServiceAccount default"
    )]
    [InlineData(Chart.Manager, new[] { "kubelb-addons.enabled=true" }, "an upgrade would delete them, including Envoy Gateway")]
    public async Task Contradictory_values_are_rejected_with_the_reason(string chart, string[] values, string reason)
    {
        using var helm = new HelmBinary();

        var output = await helm.RunAsync(["template", chart, Chart.FolderOf(chart), .. values.SelectMany(v => new[] { "--set", v })]);

        output.ExitCode.Should().Be(1);
        output.Errors.Should().Contain(reason);
    }

    [Theory]
    [InlineData(
        Chart.Manager,
        "image.repository=quay.io/kubermatic/kubelb-manager",
        "image.repository and image.tag name the Go project's image"
    )]
    [InlineData(Chart.Manager, "kubeRbacProxy.image.tag=v1", "kubeRbacProxy has no effect")]
    [InlineData(Chart.Manager, "kkpintegration.rbac=true", "kkpintegration.rbac has no effect")]
    [InlineData(
        Chart.Manager,
        "kubelb.envoyProxy.replicas=5",
        "kubelb.envoyProxy.replicas has no effect while kubelb.skipConfigGeneration is true"
    )]
    [InlineData(Chart.Manager, "kubelb.enableLeaderElection=false", "replicaCount 2 has no effect without leader election")]
    [InlineData(Chart.Manager, "kubelb.enableGatewayAPI=false", "kubelb.enableGatewayAPI is false: nothing is served")]
    [InlineData(Chart.Ccm, "kubelb.installGatewayAPICRDs=true", "kubelb.installGatewayAPICRDs has no effect")]
    [InlineData(Chart.Ccm, "kubelb.useLoadBalancerClass=true", "kubelb.useLoadBalancerClass has no effect")]
    [InlineData(Chart.Ccm, "kubelb.disableIngressController=false", "Ingresses are not supported")]
    [InlineData(Chart.Ccm, "kubelb.ingressConversion.enabled=true", "kubelb.ingressConversion has no effect")]
    public async Task Value_without_effect_causes_a_warning(string chart, string value, string warning)
    {
        var notes = await Chart.NotesAsync(chart, [.. Chart.Required(chart), "--set", value]);

        notes.Should().Contain("WARNING").And.Contain(warning);
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public async Task Default_values_cause_no_warning(string chart)
    {
        var notes = await Chart.NotesAsync(chart, Chart.Required(chart));

        notes.Should().NotContain("WARNING").And.Contain($"helm -n kubelb test {chart} --logs");
    }

    private static void Compare(JsonObject values, JsonObject schema, string path)
    {
        var properties = schema["properties"]!.AsObject();
        foreach (var (name, value) in values)
        {
            var here = $"{path}{name}";
            properties.Should().ContainKey(name, $"{here} is in values.yaml");
            var property = properties[name]!.AsObject();
            ((string?)property["description"]).Should().NotBeNullOrWhiteSpace($"{here} needs a description");
            if (property.ContainsKey("default"))
            {
                JsonNode
                    .DeepEquals(property["default"], value)
                    .Should()
                    .BeTrue(
                        $"the default of {here} is {value?.ToJsonString()} in values.yaml and "
                            + $"{property["default"]?.ToJsonString()} in the schema"
                    );
            }
            else
            {
                Compare(value!.AsObject(), property, here + ".");
            }
        }

        properties
            .Where(p => p.Value!.AsObject().ContainsKey("default") && !values.ContainsKey(p.Key))
            .Select(p => path + p.Key)
            .Should()
            .BeEmpty("a value with a default belongs in values.yaml");
    }
}
