using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>What a tenant's user and an operator do with the real kubectl.</summary>
public sealed class KubectlTests : IAsyncLifetime
{
    private static readonly string Example = Path.Combine(SourceTree.Root, "examples", "basic.yaml");
    private SystemFixture _fixture = null!;
    private KubectlBinary _tenant = null!;
    private KubectlBinary _management = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        _tenant = new KubectlBinary(_fixture.Sandbox.Tenants[0].Cluster.KubeconfigYaml);
        _management = new KubectlBinary(_fixture.Sandbox.Management.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _tenant.Dispose();
        _management.Dispose();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Documented_example_is_applied_and_shown_by_kubectl()
    {
        (await _tenant.OkAsync($"apply -f {Example}"))
            .Lines.Should()
            .Equal(
                "gateway.gateway.networking.k8s.io/my-gateway created",
                "service/api-backend created",
                "deployment.apps/api created",
                "httproute.gateway.networking.k8s.io/api-route created"
            );
        await _tenant.OkAsync("wait --for=condition=Programmed gateway/my-gateway --timeout=30s");
        await _tenant.OkAsync("rollout status deployment/api --timeout=30s");

        var gateway = await _tenant.OkAsync("get gateway my-gateway");
        gateway.Columns(0).Should().Equal("NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE");
        gateway.Columns(1).Take(4).Should().Equal("my-gateway", "kubelb", await _fixture.AddressAsync(), "True");

        await _fixture.ExpectBackendAsync("api.example.com");

        // kubectl reports "configured" for the HTTPRoute: it does not expect the defaults that the API server adds inside lists.
        (await _tenant.OkAsync($"apply -f {Example}"))
            .Lines.Where(line => line.EndsWith(" unchanged", StringComparison.Ordinal))
            .Should()
            .HaveCount(3);
        (await _tenant.OkAsync("get httproute api-route -o jsonpath={.metadata.generation}")).Text.Should().Be("1");
    }

    [Fact]
    public async Task Documented_troubleshooting_commands_show_status_and_Events()
    {
        await _fixture.ApplyBasicExampleAsync();

        (await _tenant.OkAsync("get httproute api-route -o yaml"))
            .Text.Should()
            .Contain("controllerName: kubelb.k8c.io/gateway-controller");
        (await _tenant.OkAsync("get gateway my-gateway -o yaml")).Text.Should().Contain("reason: Programmed");
        (await _tenant.OkAsync("describe gateway my-gateway")).Text.Should().Contain("Programmed").And.Contain("Events:");
        (await _tenant.OkAsync("get svc api-backend")).Columns(1)[0].Should().Be("api-backend");
        (await _tenant.OkAsync("get pods -l app=api")).Lines.Should().HaveCount(3);
        (await _tenant.OkAsync("get endpoints api-backend")).Columns(1)[1].Should().Contain(":8080");

        var routes = await _management.OkAsync("get routes -n tenant-t1");
        routes
            .Columns(0)
            .Should()
            .Equal("NAME", "ORIGINNAME", "ORIGINNAMESPACE", "ORIGINRESOURCE", "ACCEPTED", "PROGRAMMED", "SINCE", "AGE");
        routes
            .Lines.Should()
            .Contain(line =>
                line.Contains("api-route", StringComparison.Ordinal)
                && line.Contains("HTTPRoute.gateway.networking.k8s.io", StringComparison.Ordinal)
            );
    }

    [Fact]
    public async Task Kubectl_watch_shows_the_Gateway_address()
    {
        using var watch = _tenant.Start("get gateways -w");
        try
        {
            await _tenant.OkAsync($"apply -f {Example}");
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var lines = new List<string>();
            while (!lines.Any(line => line.Contains("True", StringComparison.Ordinal)))
            {
                lines.Add(
                    await watch.StandardOutput.ReadLineAsync(deadline.Token)
                        ?? throw new InvalidOperationException(
                            $"The watch ended after: {string.Join(" | ", lines)} {await watch.StandardError.ReadToEndAsync(deadline.Token)}"
                        )
                );
            }

            lines[^1].Should().Contain(await _fixture.AddressAsync());
        }
        finally
        {
            watch.Kill();
            await watch.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Labels_annotations_and_patches_are_synced_to_the_management_cluster()
    {
        await _fixture.ApplyBasicExampleAsync();

        await _tenant.OkAsync("label httproute api-route app.kubernetes.io/part-of=a");
        await _tenant.OkAsync("annotate httproute api-route example.com/note=hello");
        await _tenant.OkAsync(
            """patch httproute api-route --type=json -p '[{"op":"replace","path":"/spec/hostnames/0","value":"b.example.com"}]'"""
        );

        await _fixture.ExpectBackendAsync("b.example.com");
        (
            await _management.OkAsync(
                "get httproute default-api-route -n tenant-t1 -o jsonpath={.metadata.labels.app\\.kubernetes\\.io/part-of}"
            )
        )
            .Text.Should()
            .Be("a");
        (await _management.OkAsync("get routes -n tenant-t1 -o yaml"))
            .Text.Should()
            .Contain("example.com/note: hello")
            .And.NotContain("last-applied-configuration:");
    }

    [Fact]
    public async Task Deleted_example_is_removed_at_once_with_its_generated_objects()
    {
        await _tenant.OkAsync($"apply -f {Example}");
        await _tenant.OkAsync("wait --for=condition=Programmed gateway/my-gateway --timeout=30s");

        await _tenant.OkAsync($"delete -f {Example} --timeout=30s");

        (await _tenant.OkAsync("get gateway,httproute,deploy -o name")).Lines.Should().BeEmpty("they have no finalizers");
        await Eventually.GetAsync(
            "the node-port Service is gone",
            () => _tenant.OkAsync("get svc -o name"),
            r => r.Lines.SequenceEqual(["service/kubernetes"]),
            r => r.Text
        );
        await Eventually.GetAsync(
            "the management cluster has no generated objects",
            () => _management.OkAsync("get routes,gateways,httproutes,svc -n tenant-t1 -o name"),
            r => r.Lines.Count == 0,
            r => r.Text
        );
    }

    [Fact]
    public async Task CRD_of_the_sandbox_can_be_applied_again()
    {
        var crds = Path.Combine(SourceTree.Root, "tools", "KubeLB.Sandbox", "Crds", "gateway.networking.k8s.io_httproutes.yaml");
        (await _tenant.OkAsync($"apply -f {crds}")).Text.Should().Contain("httproutes.gateway.networking.k8s.io configured");
        (await _tenant.OkAsync($"apply -f {crds}")).Text.Should().Contain("unchanged");

        await _fixture.ApplyBasicExampleAsync();
    }
}
