using System.Net;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Controllers;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Hosting;

/// <summary>Creates the initial objects of a cluster.</summary>
internal sealed class ClusterBootstrap(ResourceRegistry registry, ObjectCreator creator, NamespaceController namespaces)
{
    private static readonly string[] Namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];

    /// <summary>Creates the namespaces, ServiceAccounts, roles and bindings.</summary>
    public void Prepare()
    {
        foreach (var name in Namespaces)
        {
            Create("", "namespaces", "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
            namespaces.EnsureAccount(name);
        }
        const string Rbac = "rbac.authorization.k8s.io";
        foreach (var role in BootstrapPolicy.ClusterRoles())
        {
            Create(Rbac, "clusterroles", "", role);
        }
        foreach (var binding in BootstrapPolicy.ClusterRoleBindings())
        {
            Create(Rbac, "clusterrolebindings", "", binding);
        }
    }

    /// <summary>Creates the Service <c>kubernetes</c> with the API server as its endpoint, and the ServiceCIDR of its cluster IP.</summary>
    public void CreateApiServerService(IPAddress address, int port, string serviceAddress, string serviceNetwork)
    {
        Create(
            "networking.k8s.io",
            "servicecidrs",
            "",
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kubernetes" },
                ["spec"] = new JsonObject { ["cidrs"] = new JsonArray(serviceNetwork) },
            }
        );
        Create("", "services", "default", Service(port, serviceAddress));
        Create("", "endpoints", "default", Endpoints(address, port));
        Create("discovery.k8s.io", "endpointslices", "default", EndpointSlice(address, port));
    }

    private static JsonObject Service(int port, string address) =>
        new()
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "kubernetes",
                ["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" },
            },
            ["spec"] = new JsonObject
            {
                ["type"] = "ClusterIP",
                ["clusterIP"] = address,
                ["ports"] = new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "https",
                        ["protocol"] = "TCP",
                        ["port"] = 443,
                        ["targetPort"] = port,
                    }
                ),
            },
        };

    private static JsonObject Endpoints(IPAddress address, int port) =>
        new()
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "kubernetes",
                ["labels"] = new JsonObject { ["endpointslice.kubernetes.io/skip-mirror"] = "true" },
            },
            ["subsets"] = new JsonArray(
                new JsonObject
                {
                    ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address.ToString() }),
                    ["ports"] = new JsonArray(
                        new JsonObject
                        {
                            ["name"] = "https",
                            ["port"] = port,
                            ["protocol"] = "TCP",
                        }
                    ),
                }
            ),
        };

    private static JsonObject EndpointSlice(IPAddress address, int port) =>
        new()
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "kubernetes",
                ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = "kubernetes" },
            },
            ["addressType"] = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4",
            ["endpoints"] = new JsonArray(
                new JsonObject
                {
                    ["addresses"] = new JsonArray(address.ToString()),
                    ["conditions"] = new JsonObject { ["ready"] = true },
                }
            ),
            ["ports"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "https",
                    ["port"] = port,
                    ["protocol"] = "TCP",
                }
            ),
        };

    private void Create(string group, string plural, string @namespace, JsonObject tree) =>
        creator.Create(registry.Find(group, "v1", plural)!, @namespace, tree, new WriteOptions());
}
