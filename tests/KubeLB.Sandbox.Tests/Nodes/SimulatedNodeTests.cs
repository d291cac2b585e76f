using System.Net;
using System.Net.Sockets;
using k8s;
using k8s.Models;
using KubeLB.Sandbox.Tests.Composition;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.Nodes;

/// <summary>Deployments, pods, endpoints and node ports of a tenant's cluster.</summary>
public sealed class SimulatedNodeTests(SandboxFixture sandbox) : IClassFixture<SandboxFixture>
{
    private IKubernetes Cluster => sandbox.Tenant;

    [Fact]
    public async Task Node_is_ready_and_has_an_address()
    {
        var node = (await Cluster.CoreV1.ListNodeAsync()).Items.Should().ContainSingle().Subject;

        node.Status.Conditions.Should().Contain(c => c.Type == "Ready" && c.Status == "True");
        node.Status.Addresses.Where(a => a.Type is "InternalIP" or "ExternalIP")
            .Select(a => a.Address)
            .Should()
            .Equal(Enumerable.Repeat(sandbox.Sandbox.Tenants[0].NodeAddress.ToString(), 2));
    }

    [Fact]
    public async Task Deployment_is_rolled_out_scaled_and_removed()
    {
        await sandbox.ApplyAsync(Workload("life", replicas: 2));
        var deployment = await RolledOutAsync("life", 2);
        deployment.Status.Conditions.Should().Contain(c => c.Type == "Available" && c.Status == "True");
        (await PodsAsync("life"))
            .Should()
            .OnlyContain(p => p.Status.Phase == "Running" && p.Spec.NodeName == "t1-node-1" && p.Status.PodIP != null);

        await PatchAsync("life", """{"spec":{"replicas":3}}""");
        await RolledOutAsync("life", 3);

        var before = (await PodsAsync("life")).Select(p => p.Name()).ToList();
        await PatchAsync("life", """{"spec":{"template":{"metadata":{"annotations":{"version":"2"}}}}}""");
        await RolledOutAsync("life", 3);
        (await PodsAsync("life")).Select(p => p.Name()).Should().NotIntersectWith(before, "a new template creates new pods");

        await Cluster.AppsV1.DeleteNamespacedDeploymentAsync("life", "default");
        await sandbox.EventuallyAsync(
            async () =>
                (await PodsAsync("life")).Count == 0
                && (await Cluster.AppsV1.ListNamespacedReplicaSetAsync("default")).Items.All(s =>
                    !s.Name().StartsWith("life-", StringComparison.Ordinal)
                )
                    ? "gone"
                    : null,
            "pods and ReplicaSets of a deleted Deployment are gone"
        );
    }

    [Fact]
    public async Task Endpoints_match_the_ready_pods()
    {
        await sandbox.ApplyAsync(Workload("ends", replicas: 2));
        await RolledOutAsync("ends", 2);

        await EndpointsAsync("ends", 2);
        await PatchAsync("ends", """{"spec":{"replicas":0}}""");
        await EndpointsAsync("ends", 0);
    }

    [Fact]
    public async Task Node_port_forwards_to_a_ready_pod_and_is_closed_with_its_Service()
    {
        await sandbox.ApplyAsync(Workload("ports", replicas: 2, type: "NodePort"));
        await RolledOutAsync("ports", 2);
        var at = await NodePortOfAsync("ports");

        var pods = await sandbox.EventuallyAsync(
            async () =>
            {
                var seen = new HashSet<string> { (await Http.EchoAsync(at)).Pod, (await Http.EchoAsync(at)).Pod };
                return seen.Count == 2 ? seen : null;
            },
            "both pods answer at the node port"
        );
        pods.Should().OnlyContain(p => p.StartsWith("ports-"));

        await Cluster.CoreV1.DeleteNamespacedServiceAsync("ports", "default");
        await sandbox.EventuallyAsync(
            async () =>
            {
                try
                {
                    using var answer = await Http.SendAsync(at);
                    return null;
                }
                catch (HttpRequestException)
                {
                    return "closed";
                }
            },
            "the node port of a deleted Service is closed"
        );
    }

    [Fact]
    public async Task Node_port_refuses_connections_without_ready_pods_and_open_ones_continue()
    {
        await sandbox.ApplyAsync(Workload("refused", replicas: 1, type: "NodePort"));
        await RolledOutAsync("refused", 1);
        var at = await NodePortOfAsync("refused");
        using var open = await sandbox.EventuallyAsync(() => ConnectAsync(at), "the node port is open");
        (await RequestAsync(open)).Should().BePositive();
        var other = new V1Patch("""{"spec":{"selector":{"app":"none"}}}""", V1Patch.PatchType.MergePatch);
        await Cluster.CoreV1.PatchNamespacedServiceAsync(other, "refused", "default");
        await sandbox.EventuallyAsync(
            async () =>
            {
                using var refused = await ConnectAsync(at);
                return refused is null ? "refused" : null;
            },
            "connections are refused"
        );

        (await RequestAsync(open)).Should().BePositive("the connection was open before");
    }

    [Fact]
    public async Task EndpointSlices_of_other_writers_are_served()
    {
        await sandbox.ApplyAsync(Workload("target", replicas: 1));
        await RolledOutAsync("target", 1);
        var address = (await PodsAsync("target"))[0].Status.PodIP;
        await sandbox.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: manual, namespace: default}
            spec:
              type: NodePort
              ports: [{name: web, port: 80}]
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: manual-1, namespace: default, labels: {kubernetes.io/service-name: manual} }
            addressType: IPv4
            ports: [{name: web, port: 8080}]
            endpoints: [{addresses: ["{{address}}"]}]
            """
        );
        var at = await NodePortOfAsync("manual");

        var answer = await sandbox.EventuallyAsync(async () => await Http.EchoAsync(at), "the endpoint of the slice responds");
        answer.Pod.Should().StartWith("target-");
    }

    private async Task<IPEndPoint> NodePortOfAsync(string service)
    {
        var ports = (await Cluster.CoreV1.ReadNamespacedServiceAsync(service, "default")).Spec.Ports;
        return new IPEndPoint(sandbox.Sandbox.Tenants[0].NodeAddress, ports[0].NodePort!.Value);
    }

    private static async Task<int> RequestAsync(Socket connection)
    {
        await connection.SendAsync("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        return await connection.ReceiveAsync(new byte[4096]);
    }

    private static async Task<Socket?> ConnectAsync(IPEndPoint at)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(at);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private async Task<V1Deployment> RolledOutAsync(string name, int replicas) =>
        await sandbox.EventuallyAsync(
            async () =>
            {
                var d = await Cluster.AppsV1.ReadNamespacedDeploymentAsync(name, "default");
                return
                    d.Status?.ObservedGeneration == d.Metadata.Generation
                    && d.Status?.UpdatedReplicas == replicas
                    && d.Status.Replicas == replicas
                    && d.Status.AvailableReplicas == replicas
                    && (await PodsAsync(name)).Count == replicas
                    ? d
                    : null;
            },
            $"Deployment {name} is rolled out with {replicas} replicas"
        );

    private async Task EndpointsAsync(string name, int count) =>
        await sandbox.EventuallyAsync(
            async () =>
            {
                var endpoints = await Cluster.CoreV1.ReadNamespacedEndpointsAsync(name, "default");
                var slices = await Cluster.DiscoveryV1.ListNamespacedEndpointSliceAsync(
                    "default",
                    labelSelector: $"kubernetes.io/service-name={name}"
                );
                return
                    (endpoints.Subsets ?? []).Sum(s => s.Addresses?.Count ?? 0) == count
                    && slices.Items.Sum(s => s.Endpoints?.Count ?? 0) == count
                    ? endpoints
                    : null;
            },
            $"Service {name} has {count} endpoints"
        );

    private async Task<IList<V1Pod>> PodsAsync(string app) =>
        (await Cluster.CoreV1.ListNamespacedPodAsync("default", labelSelector: $"app={app}")).Items;

    private Task PatchAsync(string name, string patch) =>
        Cluster.AppsV1.PatchNamespacedDeploymentAsync(new V1Patch(patch, V1Patch.PatchType.MergePatch), name, "default");

    private static string Workload(string name, int replicas, string type = "ClusterIP") =>
        $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{{name}}}, namespace: default}
            spec:
              type: {{{type}}}
              selector: {app: {{{name}}} }
              ports: [{port: 80, targetPort: 8080}]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{{name}}}, namespace: default}
            spec:
              replicas: {{{replicas}}}
              selector: {matchLabels: {app: {{{name}}} } }
              template:
                metadata: {labels: {app: {{{name}}} } }
                spec:
                  containers:
                    - name: main
                      image: anything
                      ports: [{containerPort: 8080}]
            """;
}
