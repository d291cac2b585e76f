using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EmbeddedCluster.Tests.Helm;

/// <summary>helm installs, upgrades, rolls back and uninstalls a chart.</summary>
public sealed class HelmTests : IAsyncLifetime
{
    private const string Apply = "application/apply-patch+yaml";
    private static readonly string Chart = Path.Combine(AppContext.BaseDirectory, "Fixtures", "chart");

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;
    private HelmBinary _helm = null!;
    private string _namespace = "";

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync();
        _api = new Api(_cluster);
        _helm = new HelmBinary(_cluster.KubeconfigYaml);
        _namespace = await _api.NamespaceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _helm.Dispose();
        _api.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Release_is_installed_upgraded_and_uninstalled()
    {
        await _helm.OkAsync($"install web {Chart} -n {_namespace}");
        (await StateAsync())
            .Should()
            .Be(
                """replicas=2 image=nginx:1 env=[{"name":"EXTRA","value":"1"}] data=extra:yes,image:nginx:1 label=one parts=a:1"""
                    + """,b:3 secret=200"""
            );
        foreach (var path in Objects())
        {
            ((string?)(await _api.GetAsync(path)).ShouldBe(200).At("metadata.labels")!["app.kubernetes.io/managed-by"]).Should().Be("Helm");
        }

        await _helm.OkAsync($"upgrade web {Chart} -n {_namespace} --set replicas=3,image=nginx:2,extra=false,label=two");
        (await StateAsync()).Should().Be("""replicas=3 image=nginx:2 env= data=image:nginx:2 label=two parts=a:1 secret=404""");

        await _helm.OkAsync($"rollback web 1 -n {_namespace}");
        (await StateAsync())
            .Should()
            .Be(
                """replicas=2 image=nginx:1 env=[{"name":"EXTRA","value":"1"}] data=extra:yes,image:nginx:1 label=one parts=a:1"""
                    + """,b:3 secret=200"""
            );

        var history = JsonNode.Parse((await _helm.OkAsync($"history web -n {_namespace} -o json")).Text)!.AsArray();
        history.Select(release => (string)release!["status"]!).Should().Equal("superseded", "superseded", "deployed");
        (await _helm.OkAsync($"get manifest web -n {_namespace}")).Text.Should().Contain("kind: NetworkPolicy");
        (await _helm.OkAsync($"list -n {_namespace} -q")).Text.Should().Be("web\n");
        (await _helm.OkAsync($"status web -n {_namespace}"))
            .Text.Should()
            .Contain("STATUS: deployed")
            .And.Contain("HorizontalPodAutoscaler");

        await _helm.OkAsync($"uninstall web -n {_namespace}");
        foreach (var path in Objects())
        {
            await _api.UntilGoneAsync(path);
        }
        (await _api.GetAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gizmos.shop.example.com")).ShouldBe(200);
        (await _helm.OkAsync($"list -n {_namespace} -q")).Text.Should().BeEmpty();
        _cluster
            .Requests.Count(request =>
                request.ContentType == Apply
                && request.Query.StartsWith("?fieldManager=helm&fieldValidation=Strict&force=false", StringComparison.Ordinal)
            )
            .Should()
            .BeGreaterThanOrEqualTo(
                3 * Objects().Count + 2,
                "install, upgrade and rollback apply every object; install and rollback also a Secret"
            );
        _cluster
            .Requests.Snapshot()
            .Where(request => request.StatusCode >= 400)
            .Should()
            .OnlyContain(
                request => request.StatusCode == 404 && request.Verb == "get",
                "helm looks whether an object is there before it creates one, and nothing else fails"
            );
    }

    [Fact]
    public async Task Upgrade_without_change_writes_only_the_release()
    {
        await _helm.OkAsync($"install web {Chart} -n {_namespace}");
        var before = new List<string?>();
        foreach (var path in Objects())
        {
            before.Add((await _api.GetAsync(path)).TextAt("metadata.resourceVersion"));
        }

        await _helm.OkAsync($"upgrade web {Chart} -n {_namespace}");

        for (var i = 0; i < before.Count; i++)
        {
            (await _api.GetAsync(Objects()[i])).TextAt("metadata.resourceVersion").Should().Be(before[i], Objects()[i]);
        }
    }

    [Fact]
    public async Task Externally_changed_field_conflicts_until_forced()
    {
        await _helm.OkAsync($"install web {Chart} -n {_namespace}");
        var deployment = $"/apis/apps/v1/namespaces/{_namespace}/deployments/web";
        (
            await _api.SendAsync(
                HttpMethod.Patch,
                $"{deployment}?fieldManager=kubectl-edit",
                """{"spec":{"replicas":7}}""",
                "application/merge-patch+json"
            )
        ).ShouldBe(200);

        var rejected = await _helm.RunAsync($"upgrade web {Chart} -n {_namespace} --set image=nginx:2");
        rejected.ExitCode.Should().NotBe(0);
        rejected.Errors.Should().Contain("conflict with \"kubectl-edit\" using apps/v1: .spec.replicas");

        await _helm.OkAsync($"upgrade web {Chart} -n {_namespace} --set image=nginx:2 --force-conflicts");
        (await StateAsync()).Should().StartWith("replicas=2 image=nginx:2 ");
    }

    [Fact]
    public async Task Chart_can_be_installed_without_server_side_apply()
    {
        await _helm.OkAsync($"install web {Chart} -n {_namespace} --server-side=false");
        await _helm.OkAsync($"upgrade web {Chart} -n {_namespace} --set replicas=3,extra=false");

        (await StateAsync()).Should().Be("""replicas=3 image=nginx:1 env= data=image:nginx:1 label=one parts=a:1 secret=404""");
        _cluster.Requests.Count(request => request.ContentType == Apply && request.Resource != "customresourcedefinitions").Should().Be(0);
    }

    [Fact]
    public async Task Dry_run_and_chart_test_use_the_API_server()
    {
        await _helm.OkAsync($"install web {Chart} -n {_namespace}");
        await _helm.OkAsync($"upgrade web {Chart} -n {_namespace} --set replicas=3 --dry-run=server");
        (await StateAsync()).Should().StartWith("replicas=2 ");

        (await _helm.RunAsync($"test web -n {_namespace} --timeout 2s")).ExitCode.Should().NotBe(0, "nothing runs the pod");
        (await _api.GetAsync($"/api/v1/namespaces/{_namespace}/pods/web-test")).ShouldBe(200).TextAt("status.phase").Should().Be("Pending");
    }

    private IReadOnlyList<string> Objects() =>
        [
            $"/apis/apps/v1/namespaces/{_namespace}/deployments/web",
            $"/api/v1/namespaces/{_namespace}/services/web",
            $"/api/v1/namespaces/{_namespace}/serviceaccounts/web",
            $"/api/v1/namespaces/{_namespace}/configmaps/web",
            $"/apis/rbac.authorization.k8s.io/v1/namespaces/{_namespace}/roles/web",
            $"/apis/rbac.authorization.k8s.io/v1/namespaces/{_namespace}/rolebindings/web",
            $"/apis/rbac.authorization.k8s.io/v1/clusterroles/web-{_namespace}",
            $"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/web-{_namespace}",
            $"/apis/autoscaling/v2/namespaces/{_namespace}/horizontalpodautoscalers/web",
            $"/apis/policy/v1/namespaces/{_namespace}/poddisruptionbudgets/web",
            $"/apis/networking.k8s.io/v1/namespaces/{_namespace}/networkpolicies/web",
            $"/apis/shop.example.com/v1/namespaces/{_namespace}/gizmos/web",
        ];

    private async Task<string> StateAsync()
    {
        var deployment = await _api.GetAsync($"/apis/apps/v1/namespaces/{_namespace}/deployments/web");
        var map = await _api.GetAsync($"/api/v1/namespaces/{_namespace}/configmaps/web");
        var gizmo = await _api.GetAsync($"/apis/shop.example.com/v1/namespaces/{_namespace}/gizmos/web");
        var secret = await _api.GetAsync($"/api/v1/namespaces/{_namespace}/secrets/web-extra");
        var parts = string.Join(',', gizmo.At("spec.parts")!.AsArray().Select(part => $"{part!["name"]}:{part["count"]}"));
        var data = string.Join(
            ',',
            map.At("data")!.AsObject().OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => $"{item.Key}:{item.Value}")
        );
        return $"replicas={deployment.At("spec.replicas")} image={deployment.TextAt("spec.template.spec.containers.0.image")} "
            + $"env={deployment.At("spec.template.spec.containers.0.env")?.ToJsonString()} "
            + $"data={data} label={map.TextAt("metadata.labels.which")} parts={parts} secret={secret.Status}";
    }
}
