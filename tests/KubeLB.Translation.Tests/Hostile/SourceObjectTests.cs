using System.Text.Json.Nodes;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.Hostile;

/// <summary>A Route's spec is read once for each version, in one place, and what is wrong with it is the same for every reader.</summary>
[Trait("Threat", "malformed-input")]
public sealed class SourceObjectTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Version_of_a_route_is_parsed_once(int kind)
    {
        var route = ApiJson.Read<Route>(HostileRoutes.Good(kind));

        SourceObject.Read(route).Source.Should().NotBeNull().And.BeSameAs(SourceObject.Read(route).Source);
        RouteOrigin.Of(route).Should().BeSameAs(RouteOrigin.Of(route)).And.BeSameAs(SourceObject.Read(route).Source!.Origin);
    }

    [Theory]
    [InlineData("5", "spec.source.kubernetes.resource must be an object")]
    [InlineData("[]", "spec.source.kubernetes.resource must be an object")]
    [InlineData("{}", "spec.source.kubernetes.resource must be an object")]
    [InlineData("""{"source":5}""", "spec.source.kubernetes.resource must be an object")]
    [InlineData("""{"source":{"kubernetes":[]}}""", "spec.source.kubernetes.resource must be an object")]
    [InlineData("""{"source":{"kubernetes":{"resource":"x"}}}""", "spec.source.kubernetes.resource must be an object")]
    [InlineData("\"nested more than 50 levels deep\"", "Invalid spec: nested more than 50 levels deep. Correct it.")]
    public void Spec_of_another_shape_is_a_problem_and_a_copy_has_the_same(string spec, string problem)
    {
        var json = HostileRoutes.Good(1);
        json["spec"] = JsonNode.Parse(spec);
        var route = ApiJson.Read<Route>(json);

        SourceObject.Read(route).Problem.Should().StartWith(problem);
        SourceObject.Read(ApiJson.Copy(route)).Problem.Should().Be(SourceObject.Read(route).Problem);
    }

    [Fact]
    public void Origin_is_known_although_the_services_cannot_be_read()
    {
        var json = HostileRoutes.Good(1);
        json["spec"]!["source"]!["kubernetes"]!["services"] = 5;
        var route = ApiJson.Read<Route>(json);

        SourceObject.Read(route).Problem.Should().StartWith("Invalid spec.source.kubernetes.services: ");
        RouteOrigin.Of(route)!.Kind.Should().Be("HTTPRoute");
    }

    [Theory]
    [InlineData("spec", "5", "spec must be an object")]
    [InlineData("spec", "{\"rules\":5}", "spec.rules must be an object or an array of objects")]
    [InlineData("spec", "{\"rules\":{}}", "spec.rules must be an array")]
    [InlineData("spec", "{\"rules\":[\"x\"]}", "spec.rules[0] must be an object")]
    [InlineData("spec", "{\"hostnames\":[5]}", "spec.hostnames[0] must be a string")]
    [InlineData("spec", "{\"parentRefs\":[{\"port\":\"x\"}]}", "spec.parentRefs[0].port must be a number")]
    [InlineData("spec", "{\"parentRefs\":[{\"port\":99999999999}]}", "spec.parentRefs[0].port must be a number")]
    [InlineData("metadata", "{\"name\":\"a\",\"namespace\":\"b\",\"labels\":[]}", "metadata.labels must be an object")]
    [InlineData("metadata", "{\"name\":\"a\",\"namespace\":\"b\",\"annotations\":{\"a\":5}}", "metadata.annotations.a must be a string")]
    public void Field_of_the_wrong_type_is_reported_with_the_JSON_type(string field, string json, string problem)
    {
        var route = HostileRoutes.Good(1);
        route["spec"]!["source"]!["kubernetes"]!["resource"]![field] = JsonNode.Parse(json);

        SourceObject.Read(ApiJson.Read<Route>(route)).Problem.Should().Be($"Invalid HTTPRoute: {problem}. Correct it.");
    }

    [Theory]
    [InlineData("5", "it must be an array")]
    [InlineData("{}", "it must be an array")]
    [InlineData("[5]", "it must be an object")]
    [InlineData("[null]", "an entry is null")]
    [InlineData("[{\"metadata\":5}]", "metadata must be an object")]
    [InlineData("[{\"spec\":{\"ports\":5}}]", "spec.ports must be an array")]
    public void Services_of_the_wrong_type_are_reported_with_the_JSON_type(string json, string problem)
    {
        var route = HostileRoutes.Good(1);
        route["spec"]!["source"]!["kubernetes"]!["services"] = JsonNode.Parse(json);

        SourceObject
            .Read(ApiJson.Read<Route>(route))
            .Problem.Should()
            .Be($"Invalid spec.source.kubernetes.services: {problem}. Correct it.");
    }

    [Fact]
    public void Control_characters_of_a_kind_are_escaped()
    {
        var json = HostileRoutes.Good(1);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["kind"] = "HTTPRoute\n20:00 ERROR Fake\u001b[31m\u202e";

        SourceObject.Read(ApiJson.Read<Route>(json)).Problem.Should().Contain(@"HTTPRoute\n20:00 ERROR Fake\u001b[31m\u202e");
    }

    [Fact]
    public void Problem_quotes_no_more_than_100_characters()
    {
        var json = HostileRoutes.Good(1);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["kind"] = new string('x', 10_000);

        SourceObject.Read(ApiJson.Read<Route>(json)).Problem!.Length.Should().BeLessThan(300);
    }
}
