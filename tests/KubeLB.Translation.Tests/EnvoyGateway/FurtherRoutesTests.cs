using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.EnvoyGateway;

/// <summary>A route with more than 32 parentRefs is generated as two.</summary>
public sealed class FurtherRoutesTests
{
    private const int AnHttpRoute = 1;

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(64)]
    public void ParentRefs_are_distributed_over_generated_routes(int count)
    {
        var translation = Translate(count);

        var routes = translation.FurtherRoutes.Prepend(translation.Generated!).Cast<HttpRoute>().ToList();
        routes.Select(r => r.Name).Should().Equal(count > 32 ? ["bench-web", "bench-web-2"] : ["bench-web"]);
        routes.SelectMany(r => r.ParentRefs).Select(p => p.SectionName).Should().Equal(Enumerable.Range(0, count).Select(i => $"l{i}"));
        routes.Should().OnlyContain(r => r.ParentRefs.Count <= 32);
        foreach (var further in routes.Skip(1))
        {
            further.Spec!.Rules.Should().BeEquivalentTo(routes[0].Spec!.Rules);
            further.Spec.Hostnames.Should().Equal(routes[0].Spec!.Hostnames);
            further.Metadata.Labels.Should().Equal(routes[0].Metadata.Labels);
            further.Metadata.OwnerReferences.Should().BeEquivalentTo(routes[0].Metadata.OwnerReferences);
        }

        translation.Retries!.Policy!.Spec!.TargetRefs!.Select(t => t.Name).Should().Equal(routes.Select(r => r.Name));
    }

    [Fact]
    public void More_than_64_parentRefs_are_rejected() =>
        Translate(65)
            .Problem.Should()
            .Be(
                "The route attaches to 65 listeners by name; at most 64 are supported. "
                    + "Use fewer parentRefs, or a Gateway whose listeners all allow the route."
            );

    [Theory]
    [InlineData(5, 7, 7)]
    [InlineData(5, 4, 6)]
    public void Status_of_further_routes_is_merged_with_comparable_generations(long generation, long observed, long expected)
    {
        var first = new AppliedObject(7, Status("a", 7), Error: null);
        var further = new AppliedObject(generation, Status("b", observed), Error: null) { IsWritten = true };

        var merged = first.With([further]);

        var parents = ApiJson.Read<RouteParentsStatus>(merged.Status!).Parents;
        parents.Select(p => p.ParentRef.SectionName).Should().Equal("a", "b");
        parents[1].Conditions.Single().ObservedGeneration.Should().Be(expected);
        (merged.Generation, merged.IsWritten).Should().Be((7, true));
    }

    [Fact]
    public void Error_of_a_further_route_is_reported()
    {
        var failed = AppliedObject.Failed("no");

        new AppliedObject(7, Status("a", 7), Error: null).With([failed]).Should().BeSameAs(failed);
        failed.With([new AppliedObject(1, null, null)]).Should().BeSameAs(failed);
    }

    private static EnvoyGatewayTranslation Translate(int parentRefs)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        var resource = json["spec"]!["source"]!["kubernetes"]!["resource"]!;
        resource["metadata"]!["annotations"] = new JsonObject { ["gateway.envoyproxy.io/retry-on"] = "5xx" };
        resource["spec"]!["parentRefs"] = new JsonArray([
            .. Enumerable.Range(0, parentRefs).Select(i => new JsonObject { ["name"] = "kubelb", ["sectionName"] = $"l{i}" }),
        ]);
        return EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            TenantPolicy.Default,
            new ManagementStub(NameHolder.Free),
            _ => 10_000
        );
    }

    private static JsonObject Status(string section, long observed) =>
        ApiJson.ToJson(
            new RouteParentsStatus
            {
                Parents =
                [
                    new RouteParentStatus
                    {
                        ParentRef = new ParentReference { Name = "gw", SectionName = section },
                        ControllerName = "eg",
                        Conditions =
                        [
                            new Condition
                            {
                                Type = "Accepted",
                                Status = "True",
                                Reason = "Accepted",
                                ObservedGeneration = observed,
                            },
                        ],
                    },
                ],
            }
        );
}
