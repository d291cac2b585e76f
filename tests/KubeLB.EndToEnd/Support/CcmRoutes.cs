using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Support;

/// <summary>Routes as a CCM writes them, for tests that need many, or need them without a CCM.</summary>
public static class CcmRoutes
{
    /// <summary>A Route of an HTTPRoute with one Service of its own.</summary>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    /// <param name="name">Name of the HTTPRoute and of its Service, in namespace <c>default</c>, and of the Route.</param>
    /// <param name="gateway">Name of the Gateway that it refers to.</param>
    public static Route Http(string tenantNamespace, string name, string gateway = "my-gateway") =>
        Of(
            tenantNamespace,
            name,
            HttpRoute.KindName,
            new JsonObject
            {
                ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = gateway }),
                ["hostnames"] = new JsonArray($"{name}.example.com"),
                ["rules"] = new JsonArray(
                    new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = name, ["port"] = 80 }) }
                ),
            },
            new RouteService
            {
                Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
                Spec = new RouteServiceSpec
                {
                    Type = "NodePort",
                    Ports =
                    [
                        new RouteServicePort
                        {
                            Port = 80,
                            NodePort = 30080,
                            Protocol = "TCP",
                        },
                    ],
                },
            }
        );

    /// <summary>A Route of an HTTPRoute with as many Services of its own.</summary>
    public static Route HttpWithServices(string tenantNamespace, string name, int services)
    {
        var route = Http(tenantNamespace, name);
        route.Change(k =>
        {
            var names = Enumerable.Range(0, services).Select(i => $"{name}-{i}").ToList();
            var service = k.Services!.Single();
            k.Services =
            [
                .. names.Select(n => new RouteService
                {
                    Metadata = new V1ObjectMeta { Name = n, NamespaceProperty = "default" },
                    Spec = service.Spec,
                }),
            ];
            var rules = names
                .Chunk(16)
                .Select(backends =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["backendRefs"] = new JsonArray([
                                .. backends.Select(n => (JsonNode)new JsonObject { ["name"] = n, ["port"] = 80 }),
                            ]),
                        }
                );
            k.Resource!["spec"]!["rules"] = new JsonArray([.. rules]);
        });
        return route;
    }

    /// <summary>A Route of a GRPCRoute with one Service of its own.</summary>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    /// <param name="name">Name of the GRPCRoute and of its Service, in namespace <c>default</c>, and of the Route.</param>
    public static Route Grpc(string tenantNamespace, string name)
    {
        var route = Http(tenantNamespace, name);
        route.Change(k => k.Resource!["kind"] = GrpcRoute.KindName);
        route.Metadata.Labels[Labels.OriginResourceKind] = $"{GrpcRoute.KindName}.gateway.networking.k8s.io";
        return route;
    }

    /// <summary>A Route of a Gateway with one listener.</summary>
    public static Route Gateway(string tenantNamespace, string name = "my-gateway") =>
        Of(
            tenantNamespace,
            name,
            Api.GatewayApi.Gateway.KindName,
            new JsonObject
            {
                ["gatewayClassName"] = "kubelb",
                ["listeners"] = new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "http",
                        ["protocol"] = "HTTP",
                        ["port"] = 80,
                    }
                ),
            }
        );

    /// <summary>What the CCM does when the tenant edits its HTTPRoute: a merge patch.</summary>
    public static string Edit(string hostname, int generation) =>
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotations.SourceGeneration] = $"{generation}" } },
            ["spec"] = new JsonObject
            {
                ["source"] = new JsonObject
                {
                    ["kubernetes"] = new JsonObject
                    {
                        ["resource"] = new JsonObject { ["spec"] = new JsonObject { ["hostnames"] = new JsonArray(hostname) } },
                    },
                },
            },
        }.ToJsonString();

    private static Route Of(string tenantNamespace, string name, string kind, JsonObject spec, params RouteService[] services) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = tenantNamespace,
                Labels = new Dictionary<string, string>
                {
                    [Labels.OriginName] = name,
                    [Labels.OriginNamespace] = "default",
                    [Labels.OriginResourceKind] = $"{kind}.gateway.networking.k8s.io",
                    [Labels.ManagedBy] = Labels.ManagedByKubelb,
                },
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "1" },
            },
            Spec = new RouteSpec
            {
                Endpoints =
                [
                    new RouteEndpoint
                    {
                        Name = "default",
                        AddressesReference = new ObjectReference { Name = "default" },
                    },
                ],
                Source = new RouteSource
                {
                    Kubernetes = new KubernetesSource
                    {
                        Resource = new JsonObject
                        {
                            ["apiVersion"] = "gateway.networking.k8s.io/v1",
                            ["kind"] = kind,
                            ["metadata"] = new JsonObject
                            {
                                ["name"] = name,
                                ["namespace"] = "default",
                                ["uid"] = name,
                            },
                            ["spec"] = spec,
                        },
                        Services = [.. services],
                    },
                },
            },
        };
}
