using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>Machines with 127.0.0.1 as the only loopback address: listeners differ only by port.</summary>
public sealed partial class OnlyLocalhostTests
{
    [Fact]
    public async Task Two_tenants_on_one_address_serve_the_same_example_with_port_Events()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var notices = new ConcurrentQueue<string>();
        await using var sandbox = await SandboxEnvironment.StartAsync(
            new SandboxOptions
            {
                Tenants = 2,
                OnlyLocalhost = true,
                Notice = notices.Enqueue,
            }
        );
        foreach (var tenant in sandbox.Tenants)
        {
            tenant.NodeAddress.Should().Be(IPAddress.Loopback);
            using var client = tenant.Cluster.CreateClient("test");
            foreach (
                var manifest in ManifestYaml.Read(
                    DemoManifests.BasicHttpRoute.Replace("port: 80\n", $"port: {port}\n", StringComparison.Ordinal)
                )
            )
            {
                await ManifestClient.CreateAsync(client, manifest, CancellationToken.None);
            }
        }

        await Eventually.HoldsAsync(() => notices.Count == 2, "both remapped ports are reported");
        var clusters = new HashSet<string>();
        foreach (var notice in notices)
        {
            clusters.Add(await ClusterAtAsync(IPEndPoint.Parse(EndPoint().Match(notice).Value)));
        }

        clusters.Should().BeEquivalentTo("t1", "t2");
    }

    private static Task<string> ClusterAtAsync(IPEndPoint at) =>
        Eventually.GetAsync(
            $"{at} serves the example",
            async () =>
            {
                using var response = await Http.SendAsync(at, host: "api.example.com");
                return response.IsSuccessStatusCode ? EchoResponder.Parse(await response.Content.ReadAsStringAsync()).Cluster : "";
            },
            cluster => cluster.Length > 0
        );

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex EndPoint();
}
