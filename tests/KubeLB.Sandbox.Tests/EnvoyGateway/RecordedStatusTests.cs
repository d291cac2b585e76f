using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.Tests.EnvoyGateway;

/// <summary>Compares recorded statuses of Envoy Gateway with those of the stand-in.</summary>
public sealed class RecordedStatusTests
{
    // Features that the stand-in does not support and KubeLB does not generate.
    private static readonly Dictionary<string, string> NotCovered = new()
    {
        ["gateway-invalid-tls-backend"] = "client certificates towards backends",
        ["httproute-with-query-match-diff-type"] = "a number where the API demands a string",
        ["gateway-with-multiple-https-listeners-with-overlapping-hostnames-and-certs"] = "needs the certificates, which were not recorded",
    };

    private static readonly JsonObject Recording = (JsonObject)
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "EnvoyGateway", "testdata", "envoy-gateway-status.json")))!;

    public static TheoryData<string> Cases()
    {
        var names = new TheoryData<string>();
        foreach (var name in Recording["cases"]!.AsArray().Select(c => (string)c!["case"]!).Where(n => !NotCovered.ContainsKey(n)))
        {
            names.Add(name);
        }

        return names;
    }

    [Fact]
    public void All_covered_recorded_cases_are_replayed() => Cases().Should().HaveCount(90 - NotCovered.Count);

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Threat", "regular-expressions")]
    [Trait("Threat", "rejected-by-envoy-gateway")]
    public void Stand_in_writes_the_status_of_Envoy_Gateway(string name)
    {
        var recorded = Recording["cases"]!.AsArray().Single(c => (string)c!["case"]! == name)!;
        var input = recorded["input"]!;
        var view = new RecordedView(input);
        var gateways = Read<Gateway>(input["gateways"]).ToDictionary(ResourceKey.Of, g => GatewayEvaluator.Evaluate(g, view));
        var routes = Read<HttpRoute>(input["httpRoutes"])
            .Select(r => (IGatewayRoute)r)
            .Concat(Read<GrpcRoute>(input["grpcRoutes"]))
            .Select(r =>
                RouteEvaluator.Evaluate(
                    r,
                    r is HttpRoute ? HttpRoute.KindName : GrpcRoute.KindName,
                    k => gateways.GetValueOrDefault(k),
                    view
                )
            )
            .ToList();

        Lines(gateways.Values, routes).Should().Equal(Lines(recorded["status"]!));
    }

    private static List<string> Lines(IEnumerable<GatewayEvaluation> gateways, List<RouteEvaluation> routes)
    {
        var lines = new List<string>();
        foreach (var gateway in gateways)
        {
            lines.AddRange(gateway.Rejection is { } rejection ? [$"gateway {gateway.Key}: {Line(rejection)}"] : []);
            foreach (var listener in gateway.Listeners)
            {
                var attached = routes
                    .SelectMany(r => r.Parents)
                    .SelectMany(p => p.Attachments)
                    .Count(a => a.Gateway == gateway.Key && a.Listener == listener.Listener.Name);
                lines.Add($"listener {gateway.Key}/{listener.Listener.Name}: {attached} of {string.Join(' ', listener.SupportedKinds)}");
                lines.AddRange(listener.Findings.Select(f => $"listener {gateway.Key}/{listener.Listener.Name}: {Line(f)}"));
            }
        }

        foreach (var route in routes)
        {
            foreach (var parent in route.Parents)
            {
                lines.AddRange(
                    parent.Findings.Select(f => $"route {ResourceKey.Of(route.Route)} {KubernetesJson.Serialize(parent.Parent)}: {Line(f)}")
                );
            }
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static List<string> Lines(JsonNode status)
    {
        var lines = new List<string>();
        foreach (var gateway in status["gateways"]?.AsArray() ?? [])
        {
            var key = $"{gateway!["namespace"]}/{gateway["name"]}";
            lines.AddRange((gateway["status"]!["conditions"]?.AsArray() ?? []).Select(c => $"gateway {key}: {Line(c!)}"));
            foreach (var listener in gateway["status"]!["listeners"]?.AsArray() ?? [])
            {
                var kinds = string.Join(' ', (listener!["supportedKinds"]?.AsArray() ?? []).Select(k => (string)k!["kind"]!));
                lines.Add($"listener {key}/{listener["name"]}: {listener["attachedRoutes"]} of {kinds}");
                lines.AddRange(listener["conditions"]!.AsArray().Select(c => $"listener {key}/{listener["name"]}: {Line(c!)}"));
            }
        }

        foreach (var route in (status["httpRoutes"]?.AsArray() ?? []).Concat(status["grpcRoutes"]?.AsArray() ?? []))
        {
            foreach (var parent in route!["status"]!["parents"]!.AsArray())
            {
                var reference = KubernetesJson.Serialize(KubernetesJson.Deserialize<ParentReference>(parent!["parentRef"]!.ToJsonString()));
                lines.AddRange(
                    parent["conditions"]!.AsArray().Select(c => $"route {route["namespace"]}/{route["name"]} {reference}: {Line(c!)}")
                );
            }
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static string Line(Finding f) => $"{f.Type}={f.IsTrue} {f.Reason}: {f.Message}";

    private static string Line(JsonNode c) => $"{c["type"]}={c["status"]} {c["reason"]}: {c["message"]}";

    private static IEnumerable<T> Read<T>(JsonNode? list) =>
        (list?.AsArray() ?? []).Select(o => KubernetesJson.Deserialize<T>(o!.ToJsonString())!);

    /// <summary>The recorded objects, and the Services of Envoy Gateway's tests.</summary>
    private sealed class RecordedView(JsonNode input) : IClusterView
    {
        private static readonly string[] AlwaysThere = ["service-1", "service-2", "service-3", "service-4"];

        public TlsSecret Secret(string ns, string name)
        {
            var secret = (input["secrets"]?.AsArray() ?? []).FirstOrDefault(s =>
                (string)s!["metadata"]!["namespace"]! == ns && (string)s["metadata"]!["name"]! == name
            );
            return secret is null ? TlsSecret.Missing
                : secret["data"]?["tls.crt"] is null || secret["data"]?["tls.key"] is null ? TlsSecret.Invalid
                : TlsSecret.Valid;
        }

        public V1Service? Service(string ns, string name) =>
            Read<V1Service>(input["services"]).FirstOrDefault(s => (s.Namespace() ?? "default") == ns && s.Name() == name)
            ?? (
                AlwaysThere.Contains(name) || name.StartsWith("mirror-service", StringComparison.Ordinal)
                    ? new V1Service
                    {
                        Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 8080 }, new V1ServicePort { Port = 8443 }] },
                    }
                    : null
            );

        public bool HasEndpoints(string ns, string name) => name != "service-mirror-no-endpoints";

        public IDictionary<string, string> NamespaceLabels(string ns) =>
            Read<V1Namespace>(input["namespaces"]).FirstOrDefault(n => n.Name() == ns)?.Labels() ?? new Dictionary<string, string>();

        public IEnumerable<ReferenceGrant> Grants(string ns) =>
            Read<ReferenceGrant>(input["referenceGrants"]).Where(g => g.Namespace == ns);
    }
}
