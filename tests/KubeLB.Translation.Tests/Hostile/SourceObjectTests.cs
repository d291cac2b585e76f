using System.Text.Json.Nodes;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.Hostile;

/// <summary>A Route's spec is read once for each version, in one place, and what is wrong with it is the same for every reader.</summary>
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

    [Fact]
    public void Problem_quotes_no_more_than_100_characters()
    {
        var json = HostileRoutes.Good(1);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["kind"] = new string('x', 10_000);

        SourceObject.Read(ApiJson.Read<Route>(json)).Problem!.Length.Should().BeLessThan(300);
    }
}
