using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Tests.Golden;

namespace KubeLB.Translation.Tests.Contract;

/// <summary>
/// What the Go pair wrote for one example (recorded on real API servers), beside what translation makes of the same objects. The
/// differences are the ones that are meant, and no others.
/// </summary>
public sealed class RecordedPairTests
{
    private const string Tenant = "kind: Settings\ntenantNamespace: tenant-t1\n";

    [Fact]
    public void Route_of_an_HTTPRoute_equals_the_recorded_one()
    {
        var recorded = Recording("mgmt-route-httproute")["spec"]!.DeepClone();
        recorded["source"]!["kubernetes"]!["services"]![0]!.AsObject().Remove("status");

        Same(Ours("HTTPRoute")["spec"], recorded);
    }

    [Fact]
    public void Route_of_a_Gateway_equals_the_recorded_one() => Same(Ours("Gateway")["spec"], Recording("mgmt-route-gateway")["spec"]);

    [Theory]
    [InlineData("mgmt-route-httproute", "HTTPRoute")]
    [InlineData("mgmt-route-gateway", "Gateway")]
    public void Metadata_of_a_Route_equals_the_recorded_one(string recording, string kind)
    {
        var recorded = Recording(recording)["metadata"]!;
        var ours = Ours(kind)["metadata"]!;

        ours["name"]!.GetValue<string>().Should().Be(recorded["name"]!.GetValue<string>());
        ours["namespace"]!.GetValue<string>().Should().Be(recorded["namespace"]!.GetValue<string>());
        Same(ours["labels"], recorded["labels"]);
    }

    [Fact]
    public void Node_port_Service_equals_the_recorded_one()
    {
        var recorded = Recording("tenant-nodeport-service");
        var ours = TenantOutput(withTwin: false).First(d => d["kind"]!.GetValue<string>() == "Service");

        ours["metadata"]!["name"]!.GetValue<string>().Should().Be("web-nodeport");
        Same(ours["metadata"]!["labels"], recorded["metadata"]!["labels"]);
        Same(ours["metadata"]!["annotations"], recorded["metadata"]!["annotations"]);
        Same(ours["metadata"]!["ownerReferences"], recorded["metadata"]!["ownerReferences"]);
        Same(ours["spec"]!["selector"], recorded["spec"]!["selector"]);
    }

    [Fact]
    public void Generated_HTTPRoute_equals_the_recorded_one_except_for_the_Gateway_name()
    {
        var recorded = Recording("mgmt-generated-httproute");
        recorded["spec"]!["parentRefs"]![0]!["name"] = "bench-kubelb";
        var ours = Generated("HTTPRoute");

        ours["metadata"]!["name"]!.GetValue<string>().Should().Be("bench-web");
        SameLabels(ours, recorded);
        Same(ours["spec"], recorded["spec"]);
    }

    [Fact]
    public void Generated_Service_equals_the_recorded_one()
    {
        var recorded = Recording("mgmt-generated-service");
        var ours = Generated("Service");

        ours["metadata"]!["name"]!.GetValue<string>().Should().Be("bench-web-web");
        SameLabels(ours, recorded);
        Same(ours["spec"]!["selector"], recorded["spec"]!["selector"]);
        ours["spec"]!["ports"]![0]!["name"]!.GetValue<string>().Should().Be("http");
    }

    [Fact]
    public void Generated_Gateway_equals_the_recorded_one_except_for_name_and_namespaces()
    {
        var recorded = Recording("mgmt-generated-gateway")["spec"]!;
        recorded["listeners"]![0]!["allowedRoutes"]!["namespaces"]!["from"] = "Same";

        Same(Generated("Gateway")["spec"], recorded);
    }

    [Fact]
    public void Gateway_of_the_Go_manager_is_adopted_with_its_name()
    {
        var route = Recording("mgmt-route-gateway");
        var gateway = Recording("mgmt-generated-gateway");
        var output = new ManagementSide(new CaseObjects($"{Tenant}---\n{Yaml.Write([route, gateway])}")).Output();

        output.First(d => d["kind"]!.GetValue<string>() == "Gateway")["metadata"]!["name"]!.GetValue<string>().Should().Be("kubelb");
    }

    private static IReadOnlyList<JsonObject> TenantOutput(bool withTwin)
    {
        var objects = new List<JsonObject>
        {
            Recording("tenant-source-gateway"),
            Recording("tenant-source-service"),
            Recording("tenant-source-httproute"),
        };
        if (withTwin)
        {
            objects.Add(Recording("tenant-nodeport-service"));
        }

        return [.. new TenantSide(new CaseObjects($"{Tenant}---\n{Yaml.Write(objects)}")).Output()];
    }

    private static JsonObject Ours(string kind) =>
        TenantOutput(withTwin: true)
            .Single(d =>
                d["kind"]!.GetValue<string>() == "Route"
                && d["spec"]!["source"]!["kubernetes"]!["resource"]!["kind"]!.GetValue<string>() == kind
            );

    private static JsonObject Generated(string kind)
    {
        var routes = Yaml.Write(TenantOutput(withTwin: true).Where(d => d["kind"]!.GetValue<string>() == "Route"));
        return new ManagementSide(new CaseObjects($"{Tenant}---\n{routes}")).Output().First(d => d["kind"]!.GetValue<string>() == kind);
    }

    // A recording may be a List of one object.
    private static JsonObject Recording(string name)
    {
        var file = Path.Combine(SourceTree.Root, "tests", "KubeLB.Translation.Tests", "Contract", "recorded", name + ".yaml");
        var document = Yaml.Read(File.ReadAllText(file)).Single();
        return document["items"] is JsonArray items ? items.Single()!.DeepClone().AsObject() : document;
    }

    // The Go manager copies all labels of the tenant's objects; docs/operator/migration.md says why this one does not.
    private static void SameLabels(JsonObject ours, JsonObject recorded) =>
        Same(
            ours["metadata"]!["labels"],
            new JsonObject(
                recorded["metadata"]!["labels"]!
                    .AsObject()
                    .Where(label => label.Key.StartsWith("kubelb.k8c.io/", StringComparison.Ordinal))
                    .Select(label => KeyValuePair.Create(label.Key, label.Value?.DeepClone()))
            )
        );

    private static void Same(JsonNode? ours, JsonNode? recorded) =>
        Yaml.Write([new JsonObject { ["value"] = Sorted(ours) }])
            .Should()
            .Be(Yaml.Write([new JsonObject { ["value"] = Sorted(recorded) }]));

    // The order of fields means nothing.
    private static JsonNode? Sorted(JsonNode? node) =>
        node switch
        {
            JsonObject json => new JsonObject(
                json.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))
            ),
            JsonArray array => new JsonArray([.. array.Select(Sorted)]),
            _ => node?.DeepClone(),
        };
}
