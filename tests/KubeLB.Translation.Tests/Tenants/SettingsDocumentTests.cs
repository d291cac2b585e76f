using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

/// <summary>docs/operator/settings.md says what is so.</summary>
public sealed class SettingsDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operator", "settings.md"));

    public static TheoryData<TenantSpec, string, bool> Errors =>
        new()
        {
            {
                new() { GatewayAPI = new() { Disable = true } },
                """{ "kind": "Gateway" }""",
                true
            },
            {
                new() { GatewayAPI = new() { DisableHTTPRoute = true } },
                """{ "kind": "HTTPRoute" }""",
                true
            },
            {
                new() { GatewayAPI = new() { Gateway = new() { Limit = 2 } } },
                """{ "kind": "Gateway" }""",
                false
            },
            {
                new() { AllowedDomains = ["*.shop.example.com"] },
                """{ "kind": "HTTPRoute", "spec": { "hostnames": ["www.example.net"] } }""",
                true
            },
        };

    [Fact]
    public void Every_field_is_in_the_table()
    {
        var fields = FieldsOf<LayeredSettings>()
            .Except(["gatewayAPI", "limits"])
            .Concat(FieldsOf<SizeLimits>().Select(f => $"limits.{f}"))
            .Concat(FieldsOf<GatewayApiSettings>().Except(["gateway", "route", "defaultGateway"]).Select(f => $"gatewayAPI.{f}"))
            .Append("gatewayAPI.gateway.limit")
            .Append("gatewayAPI.route.limit");

        fields.Should().OnlyContain(field => Document.Contains($"\n| `{field}` |"));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void Documented_messages_are_the_reported_ones(TenantSpec spec, string resource, bool isWithinLimit)
    {
        var rejection = PolicyRejection.Evaluate(
            "tenant-shop",
            Carried(resource),
            TenantPolicy.Merge(null, new Tenant { Spec = spec }),
            isWithinLimit
        )!;

        Document.Should().Contain($"| `{rejection.Reason}` | {rejection.Message} |");
    }

    private static SourceObject Carried(string resource)
    {
        var json = JsonNode.Parse(resource)!.AsObject();
        json["apiVersion"] = "gateway.networking.k8s.io/v1";
        json["metadata"] = new JsonObject { ["name"] = "a", ["namespace"] = "default" };
        var route = ApiJson.Read<Route>(
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["namespace"] = "tenant-shop", ["name"] = "uid" },
                ["spec"] = new JsonObject { ["source"] = new JsonObject { ["kubernetes"] = new JsonObject { ["resource"] = json } } },
            }
        );
        return SourceObject.Read(route).Source!;
    }

    private static IEnumerable<string> FieldsOf<T>() =>
        typeof(T)
            .GetProperties()
            .Where(p => p.Name != nameof(Extensible.Unknown))
            .Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name));
}
