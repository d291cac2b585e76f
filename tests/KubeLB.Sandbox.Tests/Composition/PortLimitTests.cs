using System.Text;
using k8s;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Proxies;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>One tenant cannot make the sandbox open any number of ports.</summary>
[Trait("Threat", "sandbox-limits")]
public sealed class PortLimitTests
{
    [Fact]
    public async Task Proxy_serves_ports_up_to_its_limit_and_others_when_there_is_room()
    {
        using var addresses = new LoopbackAddresses();
        await using var proxy = new TenantProxy("tenant-t", addresses.Take(), NullLogger.Instance, maxListeners: 2);

        proxy.Apply(SnapshotOf(10003, 10001, 10002));
        Served(proxy).Should().Equal(10001, 10002);

        // An open port is not closed for another one, and all ports can be replaced at once.
        proxy.Apply(SnapshotOf(10000, 10001, 10002, 10003));
        Served(proxy).Should().Equal(10001, 10002);
        proxy.Apply(SnapshotOf(10000, 10003));
        Served(proxy).Should().Equal(10000, 10003);
    }

    [Fact]
    public async Task Gateway_beyond_the_ports_of_its_namespace_gets_no_address_until_there_is_room()
    {
        using var addresses = new LoopbackAddresses();
        await using var server = await HttpServer.StartAsync(_ => Task.CompletedTask);
        await using var gateways = new GatewaySockets(server, addresses, maxPorts: 3);
        var (first, second, other) = (new ResourceKey("a", "first"), new ResourceKey("a", "second"), new ResourceKey("b", "other"));

        (await gateways.ApplyAsync(first, Plans(2001, 2002))).Address.Should().NotBeNull();
        (await gateways.ApplyAsync(second, Plans(2001, 2002))).Address.Should().BeNull();
        gateways.Resolve(second, 2001).Should().BeNull();
        (await gateways.ApplyAsync(other, Plans(2001, 2002, 2003))).Address.Should().NotBeNull("the limit applies per namespace");

        (await gateways.ApplyAsync(first, Plans(2001))).Address.Should().NotBeNull();
        (await gateways.ApplyAsync(second, Plans(2001, 2002))).Address.Should().NotBeNull();
        gateways.Resolve(second, 2002).Should().NotBeNull();

        // A Gateway that outgrows the limit is not served partly.
        (await gateways.ApplyAsync(second, Plans(2001, 2002, 2003)))
            .Address.Should()
            .BeNull();
        gateways.Resolve(second, 2001).Should().BeNull();
    }

    private static List<int> Served(TenantProxy proxy) => [.. Enumerable.Range(10000, 10).Where(port => proxy.Resolve(port) is not null)];

    private static List<PortPlan> Plans(params int[] ports) =>
        [.. ports.Select(p => new PortPlan(p, IsHttps: false, RouteTable.Empty, []))];

    private static Snapshot SnapshotOf(params int[] ports) =>
        new(
            ports.Select(port => new ProxyListener($"l{port}", port, ListenerProtocol.Tcp, "c")),
            [new ProxyCluster("c", UpstreamProtocol.Http1, [])]
        );
}

/// <summary>A tenant with the default limits whose Routes need more ports than the sandbox opens.</summary>
public sealed class HostilePortsTests(SandboxFixture sandbox) : IClassFixture<SandboxFixture>
{
    private const int Routes = 10;
    private const int PortsPerRoute = 256;

    [Fact]
    [Trait("Threat", "sandbox-limits")]
    public async Task Routes_with_many_ports_do_not_stop_the_sandbox_and_other_tenants_are_served()
    {
        await sandbox.ApplyAsync(DemoManifests.BasicHttpRoute);
        var address = await sandbox.GatewayAddressAsync("my-gateway");
        await sandbox.EchoAsync(address, "api.example.com");

        await sandbox.Management.CustomObjects.CreateClusterCustomObjectAsync(
            ManifestYaml.Read("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata: {name: evil}\nspec: {}\n").Single(),
            "kubelb.k8c.io",
            "v1alpha1",
            "tenants"
        );
        await sandbox.EventuallyAsync(
            async () => await sandbox.Management.CoreV1.ReadNamespacedSecretAsync("kubelb-ccm-kubeconfig", "tenant-evil"),
            "the tenant is set up"
        );
        await CreateAsync(
            "addresses",
            "apiVersion: kubelb.k8c.io/v1alpha1\nkind: Addresses\nmetadata: {name: default}\nspec: {addresses: [{ip: 192.0.2.1}]}\n"
        );
        for (var i = 0; i < Routes; i++)
        {
            await CreateAsync("routes", RouteWithManyPorts($"many-{i}"));
        }

        await sandbox.EventuallyAsync(
            async () =>
                (await sandbox.LogAsync("proxies")) is var log && log.Contains("Proxy tenant-evil serves 1000 ports, the maximum")
                    ? log
                    : null,
            "the limit is reached"
        );
        (await sandbox.EchoAsync(address, "api.example.com")).Namespace.Should().Be("default");
        await sandbox.ApplyAsync(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: later, namespace: default}
            spec:
              parentRefs: [{name: my-gateway}]
              hostnames: [later.example.com]
              rules:
                - backendRefs: [{name: api-backend, port: 8080}]
            """
        );
        (await sandbox.EchoAsync(address, "later.example.com")).Namespace.Should().Be("default");
    }

    private Task CreateAsync(string plural, string yaml) =>
        sandbox.Management.CustomObjects.CreateNamespacedCustomObjectAsync(
            ManifestYaml.Read(yaml).Single(),
            "kubelb.k8c.io",
            "v1alpha1",
            "tenant-evil",
            plural
        );

    private static string RouteWithManyPorts(string name)
    {
        var ports = new StringBuilder();
        for (var i = 0; i < PortsPerRoute; i++)
        {
            ports.Append($"{{name: p{i}, port: {i + 1}, protocol: TCP, nodePort: {30000 + i}}}, ");
        }

        return $$"""
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Route
            metadata: {name: {{name}}, namespace: tenant-evil}
            spec:
              endpoints: [{name: default}]
              source:
                kubernetes:
                  resource:
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: HTTPRoute
                    metadata: {name: {{name}}, namespace: default}
                    spec:
                      parentRefs: [{name: gw}]
                      rules: [{backendRefs: [{name: s, port: 1}]}]
                  services:
                    - apiVersion: v1
                      kind: Service
                      metadata: {name: s, namespace: default}
                      spec: {ports: [{{ports}}]}
            """;
    }
}
