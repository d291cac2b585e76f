using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Cli.Tests;

/// <summary>The precedence of https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule.</summary>
public class RequestMatchTests
{
    private static readonly HttpRoute Exact = Route("exact", "a.example.com", """[{"matches":[{"path":{"type":"Exact","value":"/a"}}]}]""");
    private static readonly HttpRoute Prefixes = Route(
        "prefixes",
        "a.example.com",
        """
        [{"matches":[{"path":{"type":"PathPrefix","value":"/a"}}]},
         {"matches":[{"path":{"type":"PathPrefix","value":"/a/b"}}]},
         {"matches":[{"path":{"type":"PathPrefix","value":"/a/b"},"headers":[{"name":"X-Version","value":"v2"}]}]},
         {"matches":[{"path":{"type":"PathPrefix","value":"/a/b"},"method":"POST"}]},
         {"matches":[{"path":{"type":"RegularExpression","value":"/r[0-9]+"},"queryParams":[{"name":"q","value":"1 2"}]}]}]
        """
    );
    private static readonly HttpRoute Wildcard = Route("wildcard", "*.example.com", """[{}]""");

    [Theory]
    [InlineData("http://a.example.com/a", "GET", "", "exact 0")]
    [InlineData("http://a.example.com/a/", "GET", "", "prefixes 0")]
    [InlineData("http://a.example.com/a/b", "GET", "", "prefixes 1")]
    [InlineData("http://a.example.com/a/bc", "GET", "", "prefixes 0")]
    [InlineData("http://a.example.com/a/b/c", "GET", "x-version: v2", "prefixes 2")]
    [InlineData("http://a.example.com/a/b/c", "GET", "x-version: V2", "prefixes 1")]
    [InlineData("http://a.example.com/a/b", "POST", "x-version: v2", "prefixes 3")]
    [InlineData("http://a.example.com/r12?q=1%202", "GET", "", "prefixes 4")]
    [InlineData("http://a.example.com/r12?q=3", "GET", "", "wildcard 0")]
    [InlineData("http://b.example.com/a", "GET", "", "wildcard 0")]
    [InlineData("http://A.EXAMPLE.com/a", "GET", "", "exact 0")]
    [InlineData("http://example.com/", "GET", "", null)]
    public void Most_specific_rule_serves_the_request(string url, string method, string header, string? expected)
    {
        IReadOnlyList<(string, string)> headers = header.Length == 0 ? [] : [(header.Split(": ")[0], header.Split(": ")[1])];
        var match = RequestMatch.Find([Wildcard, Prefixes, Exact], new Uri(url), new ProbeRequest(method, headers)).FirstOrDefault();
        (match is null ? null : $"{match.Route.Metadata.Name} {match.Rule}").Should().Be(expected);
    }

    [Theory]
    [InlineData("""[{},{}]""", "1 by 0")]
    [InlineData("""[{},{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]""", "1 by 0")]
    [InlineData("""[{"matches":[{"path":{"value":"/a"}},{"path":{"value":"/b"}}]},{"matches":[{"path":{"value":"/b"}}]}]""", "1 by 0")]
    [InlineData("""[{"matches":[{"path":{"value":"/b"}}]},{"matches":[{"path":{"value":"/a"}},{"path":{"value":"/b"}}]}]""", "")]
    [InlineData("""[{"matches":[{"path":{"value":"/a"}}]},{"matches":[{"path":{"type":"Exact","value":"/a"}}]}]""", "")]
    [InlineData("""[{"matches":[{"method":"GET"}]},{"matches":[{"method":"POST"}]},{"matches":[{"method":"GET"}]}]""", "2 by 0")]
    [InlineData(
        """
            [{"matches":[{"headers":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}]},
             {"matches":[{"headers":[{"name":"B","value":"2"},{"name":"A","value":"1"}]}]},
             {"matches":[{"queryParams":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}]},
             {"matches":[{"headers":[{"name":"a","value":"1","type":"RegularExpression"},{"name":"b","value":"2"}]}]}]
            """,
        "1 by 0"
    )]
    public void Rule_with_the_matches_of_earlier_ones_gets_no_requests(string rules, string expected) =>
        string.Join("; ", RequestMatch.Shadowed(Route("r", "a.example.com", rules)).Select(s => $"{s.Rule} by {s.First}"))
            .Should()
            .Be(expected);

    [Fact]
    public void Matches_of_a_route_are_described_in_short()
    {
        RequestMatch.DescribeAll(Exact).Should().Be("Exact /a");
        RequestMatch.DescribeAll(new GrpcRoute()).Should().Be("no rules");
        RequestMatch.DescribeAll(Prefixes).Should().Be("PathPrefix /a or PathPrefix /a/b or PathPrefix /a/b, header X-Version …");
    }

    [Theory]
    [InlineData("""{"method":{"service":"S","method":"M"}}""", "/S/M", true)]
    [InlineData("""{"method":{"service":"S","method":"M"}}""", "/S/N", false)]
    [InlineData("""{"method":{"service":"S"}}""", "/S/N", true)]
    [InlineData("""{"method":{"method":"M"}}""", "/T/M", true)]
    [InlineData("""{"method":{"type":"RegularExpression","service":"S.*"}}""", "/Sx/M", true)]
    [InlineData("{}", "/T/M", true)]
    public void GRPCRoute_matches_the_path_of_a_call(string match, string path, bool expected)
    {
        var route = new GrpcRoute { Spec = ApiJson.Read<GrpcRouteSpec>(JsonNode.Parse($$"""{"rules":[{"matches":[{{match}}]}]}""")!) };
        (RequestMatch.Find([route], new Uri("http://x" + path), new ProbeRequest("POST", [])).Any()).Should().Be(expected);
    }

    [Fact]
    public void Expression_that_takes_long_does_not_match()
    {
        var slow = Route("slow", "a.example.com", """[{"matches":[{"path":{"type":"RegularExpression","value":"(/a+)+b"}}]}]""");
        var path = new string('a', 5000);
        RequestMatch.Find([slow], new Uri($"http://a.example.com/{path}/{path}"), new ProbeRequest("GET", [])).Should().BeEmpty();
    }

    [Theory]
    [InlineData(503, "no healthy upstream", HopState.Broken, "no proxy of the tenant is available, or its proxy has no usable node")]
    [InlineData(
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
        HopState.Broken,
        "listen on the targetPort"
    )]
    [InlineData(
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        HopState.Broken,
        "closed before a response"
    )]
    [InlineData(
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
        HopState.Broken,
        "(firewall)"
    )]
    [InlineData(503, "maintenance", HopState.Warning, "A pod, or a proxy before it")]
    [InlineData(
        404,
        "",
        HopState.Warning,
        "No rule matches hostname, path, method and headers of the request, or the pod has no such path"
    )]
    [InlineData(500, "", HopState.Warning, "A backend of the rule is invalid")]
    [InlineData(504, "upstream request timeout", HopState.Broken, "did not respond in time")]
    [InlineData(302, "", HopState.Ok, "redirected")]
    [InlineData(403, "", HopState.Ok, "reached a pod")]
    [InlineData(200, "hello", HopState.Ok, "reached a pod")]
    public void Response_tells_where_a_request_ended_as_far_as_Envoys_texts_do(int status, string body, HopState state, string verdict)
    {
        var judged = Probe.Judge(status, body);
        judged.State.Should().Be(state);
        judged.Verdict.Should().Contain(verdict);
    }

    private static HttpRoute Route(string name, string hostname, string rules) =>
        new()
        {
            Metadata = new k8s.Models.V1ObjectMeta { Name = name, NamespaceProperty = "default" },
            Spec = ApiJson.Read<HttpRouteSpec>(JsonNode.Parse($$"""{"hostnames":["{{hostname}}"],"rules":{{rules}} }""")!),
        };
}
