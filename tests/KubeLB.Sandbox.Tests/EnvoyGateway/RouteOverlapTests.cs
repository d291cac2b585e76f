using k8s;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.Tests.EnvoyGateway;

/// <summary>Which routes report that others have equal matches.</summary>
public sealed class RouteOverlapTests
{
    private const string Path = "matches: [{path: {value: /a}}], ";

    [Theory]
    [InlineData("HTTPRoute a.example", "HTTPRoute a.example", "HTTPRoute n/r1|HTTPRoute n/r0")]
    [InlineData("HTTPRoute a.example", "GRPCRoute a.example", "GRPCRoute n/r1|HTTPRoute n/r0")]
    [InlineData("HTTPRoute a.example", "HTTPRoute b.example", "|")]
    [InlineData("HTTPRoute a.example", "HTTPRoute *.example", "|")]
    [InlineData("HTTPRoute A.example", "HTTPRoute a.example", "HTTPRoute n/r1|HTTPRoute n/r0")]
    [InlineData($"HTTPRoute a.example {Path}", "HTTPRoute a.example", "|")]
    [InlineData($"HTTPRoute a.example {Path}", "HTTPRoute a.example matches: [{path: {value: /a/}}],", "HTTPRoute n/r1|HTTPRoute n/r0")]
    [InlineData($"HTTPRoute a.example {Path}", "HTTPRoute a.example matches: [{path: {type: Exact, value: /a}}],", "|")]
    [InlineData(
        "HTTPRoute a.example matches: [{headers: [{name: X, value: v}, {name: Y, value: w}]}],",
        "HTTPRoute a.example matches: [{headers: [{name: y, value: w}, {name: x, value: v}]}, {path: {value: /b}}],",
        "HTTPRoute n/r1|HTTPRoute n/r0"
    )]
    [InlineData("HTTPRoute a.example matches: [{method: GET}],", "HTTPRoute a.example matches: [{method: PUT}],", "|")]
    public void Routes_with_equal_matches_for_a_hostname_overlap(string first, string second, string others)
    {
        var routes = new[] { Route(0, first), Route(1, second) };

        var overlaps = RouteOverlaps.Of(Gateway, routes);

        string.Join('|', routes.Select(r => Names(overlaps.Find(r.Route, 0)))).Should().Be(others);
        overlaps.ChangedSince(Overlaps.None).Should().HaveCount(others == "|" ? 0 : 2);
        overlaps.ChangedSince(RouteOverlaps.Of(Gateway, routes)).Should().BeEmpty();
    }

    [Fact]
    public void Messages_of_many_overlapping_routes_are_limited()
    {
        var routes = Enumerable.Range(0, 2000).Select(i => Route(i, "HTTPRoute a.example")).ToList();

        var overlaps = RouteOverlaps.Of(Gateway, routes);

        overlaps.Find(routes[^1].Route, 0)!.Message.Should().EndWith(" and others").And.Match(m => m.Length < 1200);
    }

    private static readonly GatewayEvaluation Gateway = GatewayEvaluator.Evaluate(
        Read<Gateway>(
            "metadata: {name: gw, namespace: n}\nspec:\n  "
                + "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP}]"
        ),
        new EmptyView()
    );

    private static RouteEvaluation Route(int number, string text)
    {
        var parts = text.Split(' ', 3);
        var yaml =
            $"kind: {parts[0]}\nmetadata: {{name: r{number}, namespace: n}}\nspec:\n  parentRefs: [{{name: gw}}]\n"
            + $"  hostnames: ['{parts[1]}']\n  rules: [{{{parts.ElementAtOrDefault(2)} backendRefs: [{{name: s, port: 80}}]}}]";
        IGatewayRoute route = parts[0] == HttpRoute.KindName ? Read<HttpRoute>(yaml) : Read<GrpcRoute>(yaml);
        return RouteEvaluator.Evaluate(route, parts[0], _ => Gateway, new EmptyView());
    }

    private static string Names(Finding? finding) =>
        finding?.Message.Replace("Overlapping match conditions with route(s): ", "", StringComparison.Ordinal) ?? "";

    private static T Read<T>(string yaml) => KubernetesJson.Deserialize<T>(ManifestYaml.Read(yaml)[0].ToJsonString());
}
