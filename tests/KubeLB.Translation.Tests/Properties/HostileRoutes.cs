using System.Text.Json.Nodes;
using CsCheck;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>Routes as a tenant could write them who means no good: good ones with anything changed, removed or added.</summary>
internal static class HostileRoutes
{
    private const string Reference = """{ "group": "", "kind": "Secret", "name": "token", "namespace": "tenant-other", "port": 80 }""";

    private static readonly string[] Sources =
    [
        $$"""
            {
              "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
              "metadata": { "name": "kubelb", "namespace": "bench", "uid": "u1", "labels": { "a": "b", "kubelb.k8c.io/tenant": "x" } },
              "spec": {
                "gatewayClassName": "kubelb",
                "infrastructure": { "labels": { "a": "b" } },
                "addresses": [],
                "listeners": [
                  { "name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": { "kinds": [{ "kind": "HTTPRoute" }],
                    "namespaces": { "from": "Selector", "selector": { "matchLabels": { "a": "b" }, "matchExpressions": [{ "key": "k",
                      "operator": "Exists" }] } } } },
                  { "name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.example.com", "tls": { "mode": "Terminate",
                    "certificateRefs": [{{Reference}}, { "name": "own" }] } }
                ]
              }
            }
            """,
        $$"""
            {
              "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
              "metadata": { "name": "web", "namespace": "bench", "uid": "u2", "creationTimestamp": "2026-11-23T00:51:38Z",
                "annotations": { "a": "b" } },
              "spec": {
                "hostnames": ["web.example.com"],
                "parentRefs": [{ "name": "kubelb", "sectionName": "http" }, { "name": "kubelb", "namespace": "infra" }],
                "rules": [{
                  "matches": [{ "path": { "type": "PathPrefix", "value": "/" }, "headers": [{ "name": "n", "value": "v" }] }],
                  "filters": [{ "type": "RequestMirror", "requestMirror": { "backendRef": {{Reference}}, "percent": 5 } }],
                  "timeouts": { "request": "1s" },
                  "backendRefs": [{ "name": "web", "port": 80, "weight": 1 }, {{Reference}},
                    { "name": "web", "port": 80, "filters": [{ "type": "RequestMirror", "requestMirror": { "backendRef": { "name": "web",
                      "namespace": "infra", "port": 80 } } }] }]
                }]
              }
            }
            """,
        $$"""
            {
              "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute",
              "metadata": { "name": "rpc", "namespace": "bench", "uid": "u3" },
              "spec": {
                "parentRefs": [{ "name": "kubelb" }],
                "rules": [{ "matches": [{ "method": { "service": "s", "method": "m" } }], "backendRefs": [{ "name": "web", "port": 80 },
                  {{Reference}}] }]
              }
            }
            """,
    ];

    private static readonly string[] Services =
    [
        """
            {
              "apiVersion": "v1", "kind": "Service",
              "metadata": { "name": "web-nodeport", "namespace": "bench", "labels": { "app": "web", "kubelb.k8c.io/origin-name": "web" } },
              "spec": { "type": "NodePort", "selector": { "app": "web" }, "externalIPs": ["10.0.0.9"], "externalName": "metadata.internal",
                "ports": [{ "name": "http", "port": 80, "protocol": "TCP", "nodePort": 31963, "targetPort": 8080 }] }
            }
            """,
        """{ "metadata": { "name": "web", "namespace": "infra" }, "spec": { "ports": [{ "port": 80, "nodePort": 30080 }] } }""",
    ];

    /// <summary>Put in the place of what was there.</summary>
    private static readonly string[] Values =
    [
        "null",
        "true",
        "0",
        "-1",
        "65536",
        "99999999999",
        "1e400",
        "0.5",
        "\"\"",
        "\"x\"",
        "\"Service\"",
        "\"../../kube-system\"",
        "\"tenant-other\"",
        "\"-\"",
        "\"new\"",
        "\"a\\u0000b\\n\"",
        "\"\ud83d\ude00\"",
        $"\"{new string('x', 5_000)}\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "[1,\"two\",null]",
        "[{ \"type\": \"IPAddress\", \"value\": \"10.0.0.1\" }]",
        "\"%ENVIRONMENT(PATH)%\"",
        "{\"\":null}",
        "{\"namespace\":\"kube-system\"}",
        $"[{Reference}]",
        Reference,
        string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40)),
        string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40),
    ];

    /// <summary>Added to objects.</summary>
    private static readonly string[] Names =
    [
        "namespace",
        "Namespace",
        "name",
        "kind",
        "labels",
        "metadata",
        "spec",
        "status",
        "filters",
        "backendRef",
        "backendRefs",
        "parentRefs",
        "certificateRefs",
        "caCertificateRefs",
        "externalAuth",
        "extensionRef",
        "requestMirror",
        "tls",
        "frontendValidation",
        "sessionPersistence",
        "parametersRef",
        "addresses",
        "backend",
        "value",
        "infrastructure",
        "kubelb.k8c.io/origin-name",
        "kubelb.k8c.io/origin-ns",
        "$type",
        "",
        "\u00e9",
    ];

    private static readonly Gen<(int Place, int Action, int Value)[]> Changes = Gen.Select(
        Gen.Int[0, 1000],
        Gen.Int[0, 1000],
        Gen.Int[0, Values.Length - 1]
    ).Array[0, 8];

    /// <summary>The JSON of a Route, any part of its spec hostile.</summary>
    public static readonly Gen<JsonObject> Json = Gen.Select(Gen.Int[0, Sources.Length - 1], Gen.Bool, Changes)
        .Select(
            (source, withStatus, changes) =>
            {
                var route = Good(source, withStatus);
                foreach (var (place, action, value) in changes)
                {
                    Change(route["spec"]!, place, action, Values[value]);
                }

                return route;
            }
        );

    /// <summary>How many good Routes there are.</summary>
    public static int Count => Sources.Length;

    /// <summary>A Route with nothing wrong with it.</summary>
    public static JsonObject Good(int source, bool withStatus = false) =>
        JsonNode
            .Parse(
                $$"""
                {
                  "apiVersion": "kubelb.k8c.io/v1alpha1", "kind": "Route",
                  "metadata": { "name": "8604bad4-0a6f-4a7b-8e68-b56f2245fb50", "namespace": "tenant-t", "uid": "3c1553e0",
                    "finalizers": ["kubelb.k8c.io/cleanup"] },
                  "spec": { "source": { "kubernetes": { "resource": {{Sources[source]}}, "services": [{{string.Join(',', Services)}}] } } },
                  "status": {{(
                    withStatus
                        ? """{ "resources": { "route": { "generatedName": "kept" }"""
                          + """, "services": { "bench/web": { "generatedName": "kept-web" } } } }"""
                        : "{}"
                )}}
                }
                """
            )!
            .AsObject();

    private static void Change(JsonNode root, int place, int action, string value)
    {
        var places = Places(root).ToList();
        if (places.Count == 0)
        {
            return;
        }

        var (parent, key, index) = places[place % places.Count];
        var replacement = JsonNode.Parse(value);
        if (parent is JsonArray array)
        {
            array[index] = replacement;
        }
        else if (action % 3 == 0)
        {
            parent.AsObject()[key] = replacement;
        }
        else if (action % 3 == 1)
        {
            parent.AsObject()[Names[action % Names.Length]] = replacement;
        }
        else
        {
            parent.AsObject().Remove(key);
        }
    }

    private static IEnumerable<(JsonNode Parent, string Key, int Index)> Places(JsonNode? node) =>
        node switch
        {
            JsonObject json => json.SelectMany(field => Places(field.Value).Prepend((json, field.Key, 0))),
            JsonArray array => array.SelectMany((item, i) => Places(item).Prepend((array, "", i))),
            _ => [],
        };
}
