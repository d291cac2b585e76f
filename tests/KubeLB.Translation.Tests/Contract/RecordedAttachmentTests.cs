using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Contract;

/// <summary>
/// What Envoy Gateway says of Gateways and routes in one cluster, recorded, against what the CCM says of them before the management side
/// spoke: attachment, the listeners that it does not carry, and backends. Everything else of the recording is for the management side.
/// </summary>
public sealed class RecordedAttachmentTests
{
    // Each with the reason why the CCM cannot come to the same verdict by itself.
    private static readonly Dictionary<string, string> NotApplying = new()
    {
        ["gateway-with-unsupported-address-type"] = "the Gateway as a whole is judged by the management side",
        ["gateway-with-addresses-with-ipaddress"] = "a TCP listener, which is for TCPRoutes: they are not synced",
        ["httproute-with-backendref-in-other-namespace-allowed-by-refgrant"] =
            "recorded without the grant, which backends do not need by default",
        ["httproute-with-query-match-diff-type"] = "a number where the API demands a string",
    };

    // Decided by the management side alone: the CCM carries such routes and reports what comes back.
    private static readonly string[] ReasonsOfTheManagementSide = ["UnsupportedValue", "UnsupportedRefValue", "Accepted"];

    private static readonly string[] ReasonsWithOwnMessage =
    [
        GatewayConditions.NotAllowedByListeners,
        GatewayConditions.NoMatchingListenerHostname,
    ];

    private static readonly JsonObject Recording = (JsonObject)
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Contract", "envoy-gateway-status.json")))!;

    private static IEnumerable<JsonNode> All => Recording["cases"]!.AsArray().Select(c => c!);

    public static TheoryData<string> Cases() => [.. All.Select(c => (string)c["case"]!).Where(n => !NotApplying.ContainsKey(n))];

    [Fact]
    public void All_applicable_recorded_cases_are_tested() => Cases().Should().HaveCount(90 - NotApplying.Count);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Attachment_equals_that_of_Envoy_Gateway(string name)
    {
        var recorded = All.Single(c => (string)c["case"]! == name);
        Lines(new RecordedTenant(recorded["input"]!)).Should().Equal(Lines(recorded["status"]!));
    }

    private static List<string> Lines(RecordedTenant tenant)
    {
        var lines = new List<string>();
        var translations = tenant
            .Routes.Select(r => (Route: r, Translation: RouteTranslator.Translate(r, tenant.View, RecordedTenant.Settings)))
            .ToList();
        var verdicts = translations.SelectMany(t => t.Translation.Parents).ToList();
        foreach (var gateway in tenant.View.Gateways)
        {
            foreach (var listener in ListenerValidation.Evaluate(gateway))
            {
                var attached = verdicts.Count(v => v.Gateway == gateway && v.AttachedRefs.Any(p => Includes(p, listener.Listener)));
                lines.Add(
                    $"listener {gateway.Namespace}/{gateway.Name}/{listener.Listener.Name}: {attached} of "
                        + $"{string.Join(' ', listener.SupportedKinds)}"
                );
            }

            lines.AddRange(RefusedConditions(gateway));
        }

        foreach (var (route, translation) in translations)
        {
            var status = RouteStatusTranslator.Translate(route, translation, route: null, tenant.View, "2026-01-02T03:04:05Z");
            lines.AddRange(
                status
                    .Parents.Where(p => p.ControllerName == GatewayClass.KubelbController)
                    .SelectMany(parent => Lines(route.Metadata, ApiJson.ToJson(parent)))
            );
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static List<string> Lines(JsonNode status)
    {
        var lines = new List<string>();
        foreach (var gateway in status["gateways"]?.AsArray() ?? [])
        {
            foreach (var listener in gateway!["status"]!["listeners"]?.AsArray() ?? [])
            {
                var key = $"listener {gateway["namespace"]}/{gateway["name"]}/{listener!["name"]}";
                var kinds = string.Join(' ', (listener["supportedKinds"]?.AsArray() ?? []).Select(k => (string)k!["kind"]!));
                var conditions = listener["conditions"]!.AsArray().Select(c => Line(c!)).ToList();
                lines.Add($"{key}: {listener["attachedRoutes"]} of {kinds}");
                if (
                    conditions.Any(c =>
                        c.Contains("UnsupportedProtocol", StringComparison.Ordinal)
                        || c.Contains("namespaces.selector", StringComparison.Ordinal)
                    )
                )
                {
                    lines.AddRange(conditions.Select(c => $"{key}: {Shortened(c)}"));
                }
            }
        }

        foreach (var route in (status["httpRoutes"]?.AsArray() ?? []).Concat(status["grpcRoutes"]?.AsArray() ?? []))
        {
            var metadata = new V1ObjectMeta { NamespaceProperty = (string?)route!["namespace"], Name = (string?)route["name"] };
            lines.AddRange(route["status"]!["parents"]!.AsArray().SelectMany(parent => Lines(metadata, parent!)));
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> RefusedConditions(Gateway gateway) =>
        from listener in InvalidListeners.Status(gateway, "2026-01-02T03:04:05Z").Listeners!
        where !ListenerValidation.Evaluate(gateway.Spec!.Listeners!.Single(l => l.Name == listener.Name)).IsValid
        from condition in listener.Conditions!
        select $"listener {gateway.Namespace}/{gateway.Name}/{listener.Name}: {Shortened(Line(ApiJson.ToJson(condition)))}";

    // Which protocols there are beside HTTP and HTTPS is where the two legitimately differ.
    private static string Shortened(string condition) => condition.Split(", must be ")[0];

    // Per parentRef what the CCM decides: whether it attaches, or why not, and whether the backends resolve, or why not.
    private static IEnumerable<string> Lines(V1ObjectMeta route, JsonNode parent)
    {
        var key =
            $"route {route.NamespaceProperty}/{route.Name} "
            + $"{ApiJson.ToJson(ApiJson.Read<ParentReference>(parent["parentRef"]!)).ToJsonString()}";
        var conditions = parent["conditions"]!.AsArray().Select(c => c!).ToList();
        var rejected = conditions.SingleOrDefault(c =>
            (string)c["type"]! == "Accepted"
            && (string)c["status"]! == "False"
            && !ReasonsOfTheManagementSide.Contains((string)c["reason"]!)
        );
        // The message of Envoy Gateway, with the remedy, unless the CCM's own names what the listeners allow.
        yield return rejected is null ? $"{key}: attached"
        : ReasonsWithOwnMessage.Contains((string)rejected["reason"]!) ? $"{key}: {rejected["reason"]}"
        : $"{key}: {RouteMessages.WithRemedy((string)rejected["reason"]!, Line(rejected))}";
        var unresolved = conditions.SingleOrDefault(c =>
            (string)c["type"]! == "ResolvedRefs"
            && (string)c["status"]! == "False"
            && !ReasonsOfTheManagementSide.Contains((string)c["reason"]!)
        );
        yield return unresolved is null ? $"{key}: resolved" : $"{key}: {unresolved["reason"]}";
    }

    private static string Line(JsonNode c) => $"{c["type"]}={c["status"]} {c["reason"]}: {c["message"]}";

    private static bool Includes(ParentReference parent, Listener listener) =>
        (parent.SectionName ?? listener.Name) == listener.Name && (parent.Port ?? listener.Port) == listener.Port;

    /// <summary>The recording's objects, and the Services that Envoy Gateway's tests have beside them.</summary>
    private sealed class RecordedTenant
    {
        // The recording has no GatewayClass: every Gateway of it is the controller's.
        public static readonly TenantSettings Settings = new("tenant-t", UseGatewayClass: false);

        private static readonly string[] AlwaysThere = ["service-1", "service-2", "service-3", "service-4"];

        public RecordedTenant(JsonNode input)
        {
            View.Gateways.AddRange(Read<Gateway>(input["gateways"]));
            foreach (var ns in Read<V1Namespace>(input["namespaces"]))
            {
                View.Namespaces[ns.Name()] = new Dictionary<string, string>(ns.Metadata.Labels ?? new Dictionary<string, string>());
            }

            var services = Read<V1Service>(input["services"]).ToList();
            View.Services = (ns, name) => services.Find(s => (s.Namespace() ?? "default") == ns && s.Name() == name) ?? Standard(ns, name);
            Routes = [.. Read<HttpRoute>(input["httpRoutes"]), .. Read<GrpcRoute>(input["grpcRoutes"])];
        }

        public TenantStub View { get; } = new();

        public IReadOnlyList<IGatewayRoute> Routes { get; }

        private static V1Service? Standard(string ns, string name) =>
            AlwaysThere.Contains(name) || name.StartsWith("mirror-service", StringComparison.Ordinal)
                ? new V1Service
                {
                    Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name },
                    Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 8080 }, new V1ServicePort { Port = 8443 }] },
                }
                : null;

        private static IEnumerable<T> Read<T>(JsonNode? list)
            where T : class => (list?.AsArray() ?? []).Select(o => ApiJson.Read<T>(o!));
    }
}
