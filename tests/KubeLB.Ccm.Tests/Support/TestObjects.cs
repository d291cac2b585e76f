using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;

namespace KubeLB.Ccm.Tests.Support;

/// <summary>Builds objects of a tenant.</summary>
public static class TestObjects
{
    public static Gateway Gateway(string name = "gw") =>
        Read<Gateway>(
            $$$"""
            {"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"{{{name}}}","namespace":"default"},
             "spec":{"gatewayClassName":"kubelb","listeners":[{"name":"http","protocol":"HTTP","port":80}]}}
            """
        );

    public static HttpRoute Route(string name = "r", string gateway = "gw") =>
        Read<HttpRoute>(
            $$$"""
            {"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"{{{name}}}","namespace":"default"},
             "spec":{"parentRefs":[{"name":"{{{gateway}}}"}],"rules":[{"backendRefs":[{"name":"api","port":80}]}]}}
            """
        );

    public static V1Service Service() =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "api", NamespaceProperty = "default" },
            Spec = new V1ServiceSpec
            {
                Selector = new Dictionary<string, string> { ["app"] = "api" },
                Ports = [new V1ServicePort { Port = 80 }],
            },
        };

    public static V1Node Node(string name, string? address, bool ready = true, IDictionary<string, string>? labels = null) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, Labels = labels },
            Status = new V1NodeStatus
            {
                Addresses = address is null ? [] : [new V1NodeAddress { Type = "InternalIP", Address = address }],
                Conditions = [new V1NodeCondition { Type = "Ready", Status = ready ? "True" : "False" }],
            },
        };

    private static T Read<T>(string json)
        where T : class => ApiJson.Read<T>((JsonObject)JsonNode.Parse(json)!);
}
