using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Routing;

public sealed class RouteTableTests
{
    private static readonly DateTime Old = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("Exact", "/abc", "/abc", true)]
    [InlineData("Exact", "/abc", "/abc/", false)]
    [InlineData("PathPrefix", "/abc", "/abc", true)]
    [InlineData("PathPrefix", "/abc", "/abc/", true)]
    [InlineData("PathPrefix", "/abc", "/abc/def", true)]
    [InlineData("PathPrefix", "/abc", "/abcd", false)]
    [InlineData("PathPrefix", "/abc/", "/abc", true)]
    [InlineData("PathPrefix", "/abc/", "/abcd", false)]
    [InlineData("PathPrefix", "/", "/anything", true)]
    [InlineData("PathPrefix", "/ABC", "/abc", false)]
    [InlineData("RegularExpression", "/v[0-9]+/.*", "/v12/x", true)]
    [InlineData("RegularExpression", "/v[0-9]+", "/v1/x", false)]
    public void Path_prefix_matches_whole_segments(string type, string value, string path, bool matches) =>
        RouteMatch
            .Of(
                new HttpRouteMatch
                {
                    Path = new HttpPathMatch { Type = type, Value = value },
                }
            )
            .Matches(Request(path: path))
            .Should()
            .Be(matches);

    /// <summary>A backtracking matcher would need 2^40 steps.</summary>
    [Theory]
    [InlineData("/(a+)+b")]
    [InlineData("/(a|a)*b")]
    [InlineData("/(a|aa)+b")]
    [Trait("Threat", "regular-expressions")]
    public async Task Regular_expression_takes_linear_time(string pattern)
    {
        var match = RouteMatch.Of(
            new HttpRouteMatch
            {
                Path = new HttpPathMatch { Type = "RegularExpression", Value = pattern },
            }
        );

        var matching = Task.Run(() => match.Matches(Request(path: "/" + new string('a', 40))), TestContext.Current.CancellationToken);

        (await matching.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Should().BeFalse();
    }

    [Theory]
    [InlineData("/(a")]
    [InlineData("/a[")]
    [InlineData("/(?<=x)a")]
    [Trait("Threat", "regular-expressions")]
    public void Unsupported_regular_expression_is_rejected(string pattern) =>
        FluentActions
            .Invoking(() =>
                RouteMatch.Of(
                    new HttpRouteMatch
                    {
                        Path = new HttpPathMatch { Type = "RegularExpression", Value = pattern },
                    }
                )
            )
            .Should()
            .Throw<ArgumentException>("the stand-in reports it in the status of the route");

    [Theory]
    [InlineData("my.Service", "Get", null, "/my.Service/Get", true)]
    [InlineData("my.Service", "Get", null, "/my.Service/Put", false)]
    [InlineData("my.Service", null, null, "/my.Service/Any", true)]
    [InlineData("my.Service", null, null, "/my.Service2/Any", false)]
    [InlineData(null, "Get", null, "/any.Service/Get", true)]
    [InlineData(null, "Get", null, "/any.Service/GetAll", false)]
    [InlineData("my\\..*", "G.*", "RegularExpression", "/my.Service/Get", true)]
    [InlineData("my\\..*", null, "RegularExpression", "/your.Service/Get", false)]
    [InlineData(null, null, null, "/any.Service/Any", true)]
    public void Grpc_method_match_uses_the_path_segments(string? service, string? method, string? type, string path, bool matches) =>
        RouteMatch
            .Of(
                new GrpcRouteMatch
                {
                    Method = new GrpcMethodMatch
                    {
                        Service = service,
                        Method = method,
                        Type = type,
                    },
                }
            )
            .Matches(Request(path: path, method: "POST"))
            .Should()
            .Be(matches);

    [Fact]
    public void Match_requires_all_conditions_and_uses_the_first_per_name()
    {
        var match = RouteMatch.Of(
            new HttpRouteMatch
            {
                Headers =
                [
                    new NamedValueMatch { Name = "X-A", Value = "1" },
                    new NamedValueMatch { Name = "x-a", Value = "ignored" },
                    new NamedValueMatch
                    {
                        Name = "X-B",
                        Value = "[ab]+",
                        Type = "RegularExpression",
                    },
                ],
                QueryParams = [new NamedValueMatch { Name = "q", Value = "yes" }],
            }
        );

        match.Matches(Request(headers: new() { ["x-a"] = "1", ["x-b"] = "ab" }, query: new() { ["q"] = "yes" })).Should().BeTrue();
        match.Matches(Request(headers: new() { ["x-a"] = "1", ["x-b"] = "abc" }, query: new() { ["q"] = "yes" })).Should().BeFalse();
        match.Matches(Request(headers: new() { ["x-a"] = "1", ["x-b"] = "ab" })).Should().BeFalse();
        match.Matches(Request(query: new() { ["q"] = "yes" })).Should().BeFalse();
    }

    [Fact]
    public void Route_precedence_is_that_of_the_specification()
    {
        // Each entry has a lower precedence than the previous one, in any input order.
        RouteEntry[] inOrder =
        [
            Entry("exact", new HttpRouteMatch { Path = Path("Exact", "/a") }),
            Entry("regex", new HttpRouteMatch { Path = Path("RegularExpression", "/a.*") }),
            Entry("longer prefix", new HttpRouteMatch { Path = Path("PathPrefix", "/a") }),
            Entry("method", new HttpRouteMatch { Method = "GET" }),
            Entry("two headers", new HttpRouteMatch { Headers = [Value("h1"), Value("h2")] }),
            Entry("one header", new HttpRouteMatch { Headers = [Value("h1")] }),
            Entry("query", new HttpRouteMatch { QueryParams = [Value("q")] }),
            Entry("older", new HttpRouteMatch(), created: Old),
            Entry("a first name", new HttpRouteMatch(), route: "default/a"),
            Entry("first rule", new HttpRouteMatch(), rule: 0),
            Entry("second rule", new HttpRouteMatch(), rule: 1),
        ];

        var shuffled = inOrder.Reverse().ToArray();
        shuffled
            .Order(Comparer<RouteEntry>.Create(RouteTable.Compare))
            .Select(e => e.Action.Backends[0].Service)
            .Should()
            .Equal(inOrder.Select(e => e.Action.Backends[0].Service));
    }

    [Fact]
    public void Most_specific_hostname_is_used_even_without_matching_route()
    {
        var table = new RouteTable([
            new ListenerRoutes(
                "http",
                "",
                [
                    Entry("exact host", new HttpRouteMatch { Path = Path("PathPrefix", "/only") }, hostname: "api.example.com"),
                    Entry("wildcard host", new HttpRouteMatch(), hostname: "*.example.com"),
                    Entry("any host", new HttpRouteMatch()),
                ]
            ),
        ]);

        Found(table, "api.example.com", "/only/x").Should().Be("exact host");
        Found(table, "api.example.com", "/other").Should().BeNull();
        Found(table, "web.example.com", "/other").Should().Be("wildcard host");
        Found(table, "example.org", "/other").Should().Be("any host");
    }

    [Fact]
    public void Listener_with_most_specific_hostname_is_used()
    {
        var table = new RouteTable([
            new ListenerRoutes("all", "", [Entry("all", new HttpRouteMatch())]),
            new ListenerRoutes("wildcard", "*.example.com", [Entry("wildcard", new HttpRouteMatch(), hostname: "*.example.com")]),
            new ListenerRoutes("exact", "api.example.com", []),
        ]);

        Found(table, "web.example.com", "/").Should().Be("wildcard");
        Found(table, "example.org", "/").Should().Be("all");
        Found(table, "api.example.com", "/").Should().BeNull("its listener has no routes");
    }

    [Theory]
    [InlineData(0.0, "a")]
    [InlineData(0.89, "a")]
    [InlineData(0.91, "c")]
    [InlineData(0.999, "c")]
    public void Backend_weights_distribute_requests(double draw, string service)
    {
        var action = new RouteAction { Backends = [Backend("a", 90), Backend("b", 0), Backend("c", 10)] };

        action.Choose(draw)!.Service.Should().Be(service);
    }

    [Fact]
    public void Backends_without_weight_get_no_request() =>
        new RouteAction { Backends = [Backend("a", 0)] }
            .Choose(0.5)
            .Should()
            .BeNull();

    [Theory]
    [InlineData("30s", 30_000)]
    [InlineData("500ms", 500)]
    [InlineData("1h2m3s4ms", 3_723_004)]
    public void Duration_has_the_Gateway_API_format(string text, int milliseconds) =>
        Durations.Parse(text).Should().Be(TimeSpan.FromMilliseconds(milliseconds));

    [Theory]
    [InlineData(null)]
    [InlineData("0s")]
    [InlineData("soon")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    public void Missing_zero_or_invalid_duration_is_no_limit(string? text) => Durations.Parse(text).Should().BeNull();

    private static string? Found(RouteTable table, string host, string path) => table.Find(Request(host, path))?.Action.Backends[0].Service;

    private static RouteEntry Entry(
        string name,
        HttpRouteMatch match,
        DateTime? created = null,
        string route = "default/r",
        int rule = 0,
        string hostname = ""
    ) =>
        new(
            hostname,
            RouteMatch.Of(match),
            new RouteAction { Backends = [Backend(name, 1)] },
            new RouteOrigin(created ?? Old.AddDays(1), route, rule, 0)
        );

    private static BackendTarget Backend(string name, int weight) => new("default", name, 80, weight, true, []);

    private static HttpPathMatch Path(string type, string value) => new() { Type = type, Value = value };

    private static NamedValueMatch Value(string name) => new() { Name = name, Value = "x" };

    private static RequestAttributes Request(
        string host = "x",
        string path = "/",
        string method = "GET",
        Dictionary<string, string>? headers = null,
        Dictionary<string, string>? query = null
    ) => new(host, path, method, name => headers?.GetValueOrDefault(name.ToLowerInvariant()), name => query?.GetValueOrDefault(name));
}

public sealed class HostnamesTests
{
    [Theory]
    [InlineData("", "anything.example.com", true)]
    [InlineData("api.example.com", "api.example.com", true)]
    [InlineData("api.example.com", "API.example.com", true)]
    [InlineData("api.example.com", "web.example.com", false)]
    [InlineData("*.example.com", "api.example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", ".example.com", false)]
    [InlineData("*.example.com", "apiexample.com", false)]
    public void Wildcard_hostname_matches_one_or_more_labels(string name, string host, bool matches) =>
        Hostnames.Matches(name, host).Should().Be(matches);

    [Theory]
    [InlineData("", "", "")]
    [InlineData("", "api.example.com", "api.example.com")]
    [InlineData("api.example.com", "", "api.example.com")]
    [InlineData("*.example.com", "api.example.com", "api.example.com")]
    [InlineData("api.example.com", "*.example.com", "api.example.com")]
    [InlineData("*.example.com", "*.api.example.com", "*.api.example.com")]
    [InlineData("*.api.example.com", "*.example.com", "*.api.example.com")]
    [InlineData("*.example.com", "*.example.com", "*.example.com")]
    [InlineData("*.example.com", "example.com", null)]
    [InlineData("api.example.com", "web.example.com", null)]
    [InlineData("*.example.com", "*.example.org", null)]
    public void Hostname_intersection_is_the_more_specific_hostname(string listener, string route, string? common) =>
        Hostnames.Intersect(listener, route).Should().Be(common);

    [Fact]
    public void Hostname_order_is_exact_before_wildcard_and_longest_first()
    {
        string[] names = ["", "*.com", "a.com", "*.example.com", "api.example.com"];

        names
            .Order(Comparer<string>.Create(Hostnames.CompareSpecificity))
            .Should()
            .Equal("api.example.com", "a.com", "*.example.com", "*.com", "");
    }

    [Theory]
    [InlineData("API.example.com:8080", "api.example.com")]
    [InlineData("api.example.com", "api.example.com")]
    [InlineData("[::1]:8080", "[::1]")]
    [InlineData("127.0.0.1:80", "127.0.0.1")]
    [InlineData("", "")]
    public void Host_header_with_port_is_matched_without_port(string header, string host) => Hostnames.FromHeader(header).Should().Be(host);
}
