using System.Text.Json.Nodes;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>What stands in the place of a Route's Services, which have no schema: it can be read, and nothing of it is lost.</summary>
public sealed class CarriedServicesTests
{
    [Theory]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "nodePort": "NaN" }] } }]""")]
    [InlineData("""[{ "metadata": { "creationTimestamp": "yesterday" } }]""")]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "targetPort": true }] } }]""")]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "targetPort": {} }] } }]""")]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "targetPort": [] }] } }]""")]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "targetPort": 1.5 }] } }]""")]
    [InlineData("""[{ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80, "targetPort": 1e300 }] } }]""")]
    [InlineData("[5, null, [], true]")]
    [InlineData("[[{}]]")]
    [InlineData("[]")]
    [InlineData("""{ "a": { "a": 0.5 } }""")]
    [InlineData("5")]
    [InlineData("1e400")]
    [InlineData("\"x\"")]
    public void It_is_written_as_it_was_read(string services)
    {
        var route = Read(services);

        var copy = ApiJson.Copy(route);

        Written(route).Should().Be(Compact(services));
        Written(copy).Should().Be(Compact(services));
        Unreadable(copy).Should().Equal(Unreadable(route));
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("5", true)]
    [InlineData("[5]", false)]
    [InlineData("[{}]", false)]
    public void What_is_no_list_is_told_from_a_list_of_it(string services, bool instead) =>
        Read(services).Spec!.Source!.Kubernetes!.Services.Should().ContainSingle().Which.InsteadOfList.Should().Be(instead);

    private static Route Read(string services) => ApiJson.Read<Route>(JsonNode.Parse(
        $$$"""{ "apiVersion": "kubelb.k8c.io/v1alpha1", "kind": "Route", "metadata": { "name": "r" }, "spec": { "source": { "kubernetes": { "services": {{{services}}} } } } }""")!);

    private static string Written(Route route) =>
        Compact(ApiJson.ToJson(route)["spec"]!["source"]!["kubernetes"]!["services"]!.ToJsonString());

    private static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString();

    private static IEnumerable<string?> Unreadable(Route route) => route.Spec!.Source!.Kubernetes!.Services!.Select(s => s?.UnreadableAt);
}
