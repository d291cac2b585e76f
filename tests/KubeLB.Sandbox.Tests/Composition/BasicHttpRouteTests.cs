using System.Net;

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
    }

    private static string ReadDemo()
    {
        using var stream = typeof(KubeLB.Sandbox.Composition.SandboxEnvironment).Assembly.GetManifestResourceStream(
            "Demo/basic-httproute.yaml"
        )!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
