using System.Net;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Sandbox.Nodes;

/// <summary>Creates the Node, Ready from the start. There is no heartbeat, because no component of the sandbox monitors it.</summary>
internal sealed class NodeRegistrar([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, SimulatedNode node) : IHostedService
{
    private const string Pods = "127.0.0.0/8";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var client = cluster.Client<V1Node>();
        var key = new ResourceKey("", node.Name);
        if (await client.GetAsync(key, cancellationToken).ConfigureAwait(false) is null)
        {
            await client.CreateAsync(NewNode(), cancellationToken).ConfigureAwait(false);
        }

        var status = new System.Text.Json.Nodes.JsonObject { ["status"] = ApiJson.ToJson(Status()) };
        await client.MergePatchStatusAsync(key, status, cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private V1Node NewNode() =>
        new()
        {
            ApiVersion = V1Node.KubeApiVersion,
            Kind = V1Node.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = node.Name,
                Labels = new Dictionary<string, string>
                {
                    ["kubernetes.io/hostname"] = node.Name,
                    ["kubernetes.io/os"] = "linux",
                    ["kubernetes.io/arch"] = "amd64",
                    ["topology.kubernetes.io/zone"] = node.Zone,
                    ["topology.kubernetes.io/region"] = "sandbox",
                    ["node-role.kubernetes.io/worker"] = "",
                },
            },
            Spec = new V1NodeSpec { PodCIDR = Pods, PodCIDRs = [Pods] },
        };

    private V1NodeStatus Status()
    {
        var resources = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new("8"),
            ["memory"] = new("16Gi"),
            ["pods"] = new("110"),
        };
        return new V1NodeStatus
        {
            Addresses =
            [
                new V1NodeAddress { Type = "InternalIP", Address = node.Address.ToString() },
                new V1NodeAddress { Type = "ExternalIP", Address = node.Address.ToString() },
                new V1NodeAddress { Type = "Hostname", Address = node.Name },
            ],
            Capacity = resources,
            Allocatable = resources,
            Conditions =
            [
                new V1NodeCondition
                {
                    Type = "Ready",
                    Status = "True",
                    Reason = "KubeletReady",
                    Message = "the simulated node is ready",
                    LastHeartbeatTime = DateTime.UtcNow,
                    LastTransitionTime = DateTime.UtcNow,
                },
            ],
            NodeInfo = new V1NodeSystemInfo
            {
                Architecture = "amd64",
                BootID = "sandbox",
                ContainerRuntimeVersion = "echo://1",
                KernelVersion = "simulated",
                KubeProxyVersion = "",
                KubeletVersion = "v1.34.0-sandbox",
                MachineID = "sandbox",
                OperatingSystem = "linux",
                OsImage = "KubeLB sandbox (echo backends)",
                SystemUUID = "sandbox",
            },
        };
    }
}

/// <summary>The node of a simulated cluster.</summary>
/// <param name="Cluster">Name of the cluster.</param>
/// <param name="Name">Name of the node.</param>
/// <param name="Address">Its loopback address, reported as InternalIP and ExternalIP.</param>
/// <param name="Zone">Value of the zone label.</param>
internal sealed record SimulatedNode(string Cluster, string Name, IPAddress Address, string Zone);
