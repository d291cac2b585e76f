using System.Net;
using k8s;
using k8s.Models;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>The documentation's basic example, end to end.</summary>
public sealed class BasicHttpRouteTests(SandboxFixture sandbox) : IClassFixture<SandboxFixture>
{
    private static readonly string Manifest = ReadDemo();

    [Fact]
    public async Task Requests_of_two_routes_reach_both_pods()
    {
        await sandbox.ApplyAsync(Manifest);
        var address = await sandbox.GatewayAddressAsync("my-gateway");
        await ExpectServiceAsync(address);
        var first = await sandbox.EchoAsync(address, "api.example.com", "/hello?x=1");

        first.Path.Should().Be("/hello");
        first.Query.Should().Be("?x=1");
        first.Host.Should().Be("api.example.com");
        first.Namespace.Should().Be("default");
        first.Pod.Should().StartWith("api-");
        first.ContainerPort.Should().Be(8080);
        first.Headers["x-forwarded-for"].Should().NotBeEmpty();

        var pods = new HashSet<string> { first.Pod };
        for (var i = 0; i < 4; i++)
        {
            pods.Add((await sandbox.EchoAsync(address, "api.example.com")).Pod);
        }

        pods.Should().HaveCount(2, "connections use the pods round robin");

        using var other = await sandbox.SendAsync(address, "other.example.com");
        other.StatusCode.Should().Be(HttpStatusCode.NotFound);

        // The proxy already has the endpoints of the node port.
        await sandbox.ApplyAsync(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: second, namespace: default}
            spec:
              parentRefs: [{name: my-gateway}]
              hostnames: [second.example.com]
              rules:
                - backendRefs: [{name: api-backend, port: 8080}]
            """
        );
        (await sandbox.EchoAsync(address, "second.example.com")).Pod.Should().StartWith("api-");

        var served = $"HTTPRoute default/api-route accepted, served at http://{address}";
        await ExpectStateAsync(served);
        var programmed = $"Gateway default/my-gateway programmed at {address}";
        await ExpectStateAsync(programmed);
        await sandbox.Tenant.CustomObjects.DeleteNamespacedCustomObjectAsync(
            "gateway.networking.k8s.io",
            "v1",
            "default",
            "gateways",
            "my-gateway"
        );
        await sandbox.EventuallyAsync(
            async () => (await ServicesAsync()).Count == 0 ? "gone" : null,
            "the Service of the Gateway is deleted"
        );
        await ExpectStateAsync("Gateway default/my-gateway deleted");
        sandbox
            .States.Where(line => line.StartsWith("Gateway", StringComparison.Ordinal))
            .Should()
            .Equal(programmed, "Gateway default/my-gateway deleted");
        sandbox.States.Should().ContainSingle(line => line.StartsWith(served, StringComparison.Ordinal));
    }

    private Task ExpectStateAsync(string start) =>
        sandbox.EventuallyAsync(
            () => Task.FromResult(sandbox.States.FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal))),
            $"the line \"{start}\""
        );

    [Fact]
    public async Task Kubectl_says_what_the_sandbox_does_not_support()
    {
        using var kubectl = new KubectlBinary(sandbox.Sandbox.Tenants[0].Cluster.KubeconfigYaml);
        await kubectl.OkAsync("create deployment shell --image=busybox");
        await kubectl.OkAsync("rollout status deployment/shell --timeout=30s");
        (await kubectl.RunAsync("exec deployment/shell -- ls"))
            .Errors.Should()
            .Contain("simulated: they have no containers for exec, attach or port-forward; see docs/reference/sandbox.md");
        (await kubectl.RunAsync("logs deployment/shell")).Errors.Should().Contain("simulated: they have no logs");

        using var management = new KubectlBinary(sandbox.Sandbox.Management.KubeconfigYaml);
        var applied = await management.OkAsync(
            "apply -f -",
            """
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: BackendTrafficPolicy
            metadata: {name: policy, namespace: default}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
              mergeType: StrategicMerge
            """
        );
        applied
            .Errors.Should()
            .Contain(
                "Warning: The sandbox stores BackendTrafficPolicy spec.mergeType but does not apply it; see docs/reference/sandbox.md."
            );
    }

    // The documentation's check: kubectl get svc -n envoy-gateway-system.
    private async Task ExpectServiceAsync(string address)
    {
        var service = (await ServicesAsync()).Should().ContainSingle().Subject;
        service.Name().Should().MatchRegex("^envoy-tenant-t1-default-my-gateway-[0-9a-f]{8}$");
        service.GetLabel("gateway.envoyproxy.io/owning-gateway-name").Should().Be("default-my-gateway");
        service.GetLabel("gateway.envoyproxy.io/owning-gateway-namespace").Should().Be("tenant-t1");
        service.Spec.Type.Should().Be("LoadBalancer");
        var port = service.Spec.Ports.Should().ContainSingle().Subject;
        (port.Name, port.Port, port.TargetPort.Value, port.NodePort).Should().Be(("http-80", 80, "10080", null));
        service.Status.LoadBalancer.Ingress.Single().Ip.Should().Be(address);
    }

    private async Task<IList<V1Service>> ServicesAsync() =>
        (await sandbox.Management.CoreV1.ListNamespacedServiceAsync("envoy-gateway-system")).Items;

    private static string ReadDemo()
    {
        using var stream = typeof(KubeLB.Sandbox.Composition.SandboxEnvironment).Assembly.GetManifestResourceStream(
            "Demo/basic-httproute.yaml"
        )!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
