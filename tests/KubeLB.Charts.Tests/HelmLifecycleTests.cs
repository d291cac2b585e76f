using KubeLB.Charts.Tests.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// Both charts installed, upgraded, rolled back and removed by the real Helm: against an API server in this process, or the one that
/// <c>KUBELB_TEST_CLUSTER</c> chooses.
/// </summary>
public sealed class HelmLifecycleTests : IAsyncLifetime
{
    private const string Tenant = "apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: shop\n";

    private ITestCluster _cluster = null!;
    private HelmBinary _helm = null!;
    private KubectlBinary _kubectl = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestClusters.TestClusters.StartAsync("charts");
        _helm = new HelmBinary(_cluster.KubeconfigYaml);
        _kubectl = new KubectlBinary(_cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _helm.Dispose();
        _kubectl.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Manager_chart_lifecycle_keeps_CRDs_Tenants_and_Config()
    {
        var installed = await HelmAsync("install", Chart.Manager, "--create-namespace", "--set", "kubelb.skipConfigGeneration=false");
        installed.Should().Contain("STATUS: deployed").And.NotContain("WARNING");
        (await DefinitionsAsync()).Should().HaveCount(7).And.Contain("customresourcedefinition.apiextensions.k8s.io/routes.kubelb.k8c.io");
        (await ObjectsAsync("deployment,service,serviceaccount,pdb,networkpolicy,role,rolebinding -n kubelb"))
            .Should()
            .Contain([
                "deployment.apps/kubelb-manager",
                "service/envoycp",
                "service/kubelb-manager-metrics-service",
                "poddisruptionbudget.policy/kubelb-manager",
                "networkpolicy.networking.k8s.io/kubelb-manager",
            ]);
        await _kubectl.OkAsync("apply -f -", Tenant);

        await HelmAsync(
            "upgrade",
            Chart.Manager,
            "--reuse-values",
            "--set",
            "replicaCount=3",
            "--set",
            "kubelb.logLevel=debug",
            "--set",
            "podDisruptionBudget.enabled=false"
        );
        (await FieldAsync("deployment kubelb-manager", "{.spec.replicas} {.spec.template.spec.containers[0].args}"))
            .Should()
            .StartWith("3 ")
            .And.Contain("--zap-log-level=debug");
        (await ObjectsAsync("pdb -n kubelb")).Should().BeEmpty();

        await _helm.OkAsync("rollback kubelb-manager 1 -n kubelb");
        (await FieldAsync("deployment kubelb-manager", "{.spec.replicas} {.spec.template.spec.containers[0].args}"))
            .Should()
            .StartWith("2 ")
            .And.Contain("--zap-log-level=info");
        (await ObjectsAsync("pdb -n kubelb")).Should().ContainSingle();

        await _helm.OkAsync("uninstall kubelb-manager -n kubelb");
        (await ObjectsAsync("deployment,service,pdb,networkpolicy,role,rolebinding -n kubelb")).Should().BeEmpty();
        (await ObjectsAsync("clusterrole,clusterrolebinding -l app.kubernetes.io/instance=kubelb-manager")).Should().BeEmpty();
        (await DefinitionsAsync()).Should().HaveCount(7, "Helm deletes no definitions");
        (await ObjectsAsync("tenants,configs.kubelb.k8c.io -A"))
            .Should()
            .BeEquivalentTo("tenant.kubelb.k8c.io/shop", "config.kubelb.k8c.io/default");

        await HelmAsync("install", Chart.Manager, "--set", "kubelb.skipConfigGeneration=false");
        (await ObjectsAsync("tenants")).Should().ContainSingle("an installation over existing objects replaces none");
    }

    [Fact]
    public async Task Config_that_the_chart_no_longer_renders_is_kept()
    {
        await HelmAsync(
            "install",
            Chart.Manager,
            "--create-namespace",
            "--set",
            "kubelb.skipConfigGeneration=false",
            "--set",
            "kubelb.config.gatewayAPI.class=other"
        );

        await HelmAsync("upgrade", Chart.Manager, "--set", "kubelb.skipConfigGeneration=true");

        (await FieldAsync("configs.kubelb.k8c.io default", "{.spec.gatewayAPI.class}"))
            .Should()
            .Be("other", "a tenant would fall back to defaults, and its Gateways to another class");
    }

    [Fact]
    public async Task Upgrade_that_would_delete_the_Config_of_an_earlier_chart_is_rejected()
    {
        await HelmAsync("install", Chart.Manager, "--create-namespace", "--set", "kubelb.skipConfigGeneration=false");
        await _kubectl.OkAsync("annotate configs.kubelb.k8c.io default -n kubelb helm.sh/resource-policy-");

        var rejected = await _helm.RunAsync(
            "upgrade",
            Chart.Manager,
            Chart.FolderOf(Chart.Manager),
            "--namespace",
            "kubelb",
            "--set",
            "kubelb.skipConfigGeneration=true"
        );
        rejected.ExitCode.Should().Be(1);
        rejected.Errors.Should().Contain("This upgrade would delete Config default").And.Contain("helm.sh/resource-policy=keep");

        await _kubectl.OkAsync("annotate configs.kubelb.k8c.io default -n kubelb helm.sh/resource-policy=keep");
        await HelmAsync("upgrade", Chart.Manager, "--set", "kubelb.skipConfigGeneration=true");
        (await ObjectsAsync("configs.kubelb.k8c.io -A")).Should().ContainSingle();
    }

    [Fact]
    public async Task CCM_chart_lifecycle_keeps_the_GatewayClass()
    {
        await InstallGatewayApiAsync();
        var installed = await HelmAsync("install", Chart.Ccm, "--create-namespace", "--set", "kubelb.tenantName=shop");
        installed.Should().Contain("for tenant shop").And.Contain("The pods do not start without Secret kubelb-cluster");
        (await FieldAsync("gatewayclass kubelb", "{.spec.controllerName}")).Should().Be("kubelb.k8c.io/gateway-controller");

        await _kubectl.OkAsync("create secret generic kubelb-cluster -n kubelb --from-literal=kubelb=kubeconfig");
        var upgraded = await HelmAsync(
            "upgrade",
            Chart.Ccm,
            "--reuse-values",
            "--set",
            "kubelb.nodeAddressType=InternalIP",
            "--set",
            "autoscaling.enabled=true"
        );
        upgraded.Should().NotContain("The pods do not start");
        (await FieldAsync("deployment kubelb-ccm", "{.spec.template.spec.containers[0].args}"))
            .Should()
            .Contain("--node-address-type=InternalIP");
        (await ObjectsAsync("hpa -n kubelb")).Should().ContainSingle();

        await _helm.OkAsync("rollback kubelb-ccm 1 -n kubelb");
        (await ObjectsAsync("hpa -n kubelb")).Should().BeEmpty();
        (await FieldAsync("deployment kubelb-ccm", "{.spec.replicas} {.spec.template.spec.containers[0].args}"))
            .Should()
            .StartWith("2 ")
            .And.Contain("--node-address-type=ExternalIP");

        await _helm.OkAsync("uninstall kubelb-ccm -n kubelb");
        (await ObjectsAsync("deployment,service,networkpolicy -n kubelb")).Should().BeEmpty();
        (await ObjectsAsync("gatewayclass")).Should().ContainSingle("tenants' Gateways refer to it");

        await HelmAsync("install", Chart.Ccm, "--set", "kubelb.tenantName=shop");
    }

    [Fact]
    public async Task GatewayClass_of_another_owner_is_not_changed()
    {
        await InstallGatewayApiAsync();
        await _kubectl.OkAsync(
            "apply -f -",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata:\n  name: kubelb\nspec:\n  controllerName: "
                + "kubelb.k8c.io/gateway-controller\n"
        );

        await HelmAsync("install", Chart.Ccm, "--create-namespace", "--set", "kubelb.tenantName=shop");
        await HelmAsync("upgrade", Chart.Ccm, "--set", "kubelb.tenantName=shop", "--set", "gatewayClass.create=false");
        await _helm.OkAsync("uninstall kubelb-ccm -n kubelb");

        (await FieldAsync("gatewayclass kubelb", "{.metadata.labels}{.spec.description}")).Should().BeEmpty();
    }

    [Fact]
    public async Task CCM_chart_without_Gateway_API_reports_it_and_installs_nothing()
    {
        var output = await _helm.RunAsync(
            "install",
            Chart.Ccm,
            Chart.FolderOf(Chart.Ccm),
            "--namespace",
            "kubelb",
            "--create-namespace",
            "--set",
            "kubelb.tenantName=shop"
        );

        output.ExitCode.Should().Be(1);
        output.Errors.Should().Contain("Gateway API is not installed in this cluster.");
        (await ObjectsAsync("deployment -n kubelb")).Should().BeEmpty();
    }

    [Fact]
    public async Task Upgrade_reverts_manual_edits_only_with_force_conflicts()
    {
        await HelmAsync("install", Chart.Manager, "--create-namespace");
        await _kubectl.OkAsync("-n kubelb set image deployment/kubelb-manager manager=example.com/mine:1 --field-manager=editor");

        var rejected = await _helm.RunAsync(
            "upgrade",
            Chart.Manager,
            Chart.FolderOf(Chart.Manager),
            "--namespace",
            "kubelb",
            "--set",
            "image.tag=v2"
        );
        rejected.ExitCode.Should().Be(1);
        rejected.Errors.Should().Contain("conflict with \"editor\"").And.Contain("image");

        await HelmAsync("upgrade", Chart.Manager, "--set", "image.tag=v2", "--force-conflicts");
        (await FieldAsync("deployment kubelb-manager", "{.spec.template.spec.containers[0].image}")).Should().EndWith("/kubelb-manager:v2");
    }

    private async Task<string> HelmAsync(string command, string chart, params string[] arguments) =>
        (await _helm.OkAsync([command, chart, Chart.FolderOf(chart), "--namespace", "kubelb", .. arguments])).Text;

    private Task InstallGatewayApiAsync() =>
        _cluster.InstallCrdsAsync(
            Directory
                .GetFiles(Path.Combine(SourceTree.Root, "tools", "KubeLB.Sandbox", "Crds"), "gateway.networking.k8s.io_*.yaml")
                .Select(File.ReadAllText)
        );

    private async Task<IReadOnlyList<string>> ObjectsAsync(string what) =>
        [.. (await _kubectl.OkAsync($"get {what} -o name")).Lines.Where(line => line is not "serviceaccount/default")];

    private async Task<IEnumerable<string>> DefinitionsAsync() =>
        (await ObjectsAsync("crd")).Where(name => name.EndsWith(".kubelb.k8c.io", StringComparison.Ordinal));

    private async Task<string> FieldAsync(string what, string path) =>
        (await _kubectl.OkAsync($"get {what} -n kubelb '-o=jsonpath={path}'")).Text;
}
