using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace KubeLB.Benchmarks;

/// <summary>What a tenant has in the benchmarks: one Gateway, Services, and HTTPRoutes to them.</summary>
internal static class TenantObjects
{
    public const string Group = "gateway.networking.k8s.io";

    public static JsonObject Gateway() =>
        new()
        {
            ["apiVersion"] = $"{Group}/v1",
            ["kind"] = "Gateway",
            ["metadata"] = new JsonObject { ["name"] = "gateway" },
            ["spec"] = new JsonObject
            {
                ["gatewayClassName"] = "kubelb",
                ["listeners"] = new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "http",
                        ["port"] = 80,
                        ["protocol"] = "HTTP",
                    }
                ),
            },
        };

    public static Task CreateServiceAsync(IKubernetes client, string name, CancellationToken cancellationToken = default)
    {
        var service = new V1Service
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1ServiceSpec
            {
                Selector = new Dictionary<string, string> { ["app"] = name },
                Ports = [new V1ServicePort { Port = 80 }],
            },
        };
        return client.CoreV1.CreateNamespacedServiceAsync(service, "default", cancellationToken: cancellationToken);
    }

    public static Task CreateRouteAsync(IKubernetes client, string name, string service, CancellationToken cancellationToken = default)
    {
        var route = new JsonObject
        {
            ["apiVersion"] = $"{Group}/v1",
            ["kind"] = "HTTPRoute",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = "gateway" }),
                ["hostnames"] = new JsonArray($"{name}.example.com"),
                ["rules"] = new JsonArray(
                    new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = service, ["port"] = 80 }) }
                ),
            },
        };
        return client.CustomObjects.CreateNamespacedCustomObjectAsync(
            route,
            Group,
            "v1",
            "default",
            "httproutes",
            cancellationToken: cancellationToken
        );
    }
}
