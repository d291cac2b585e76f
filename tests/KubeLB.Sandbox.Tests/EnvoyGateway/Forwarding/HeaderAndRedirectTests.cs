using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Forwarding;

public sealed class HeaderAndRedirectTests
{
    [Theory]
    [InlineData("/foo/bar", "/foo", "/xyz", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo", "/xyz/", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo/", "/xyz", "/xyz/bar")]
    [InlineData("/foo", "/foo", "/xyz", "/xyz")]
    [InlineData("/foo/", "/foo", "/xyz", "/xyz/")]
    [InlineData("/foo/bar", "/foo", "", "/bar")]
    [InlineData("/foo/", "/foo", "", "/")]
    [InlineData("/foo", "/foo", "/", "/")]
    [InlineData("/test", "/", "/pre", "/pretest")]
    [InlineData("/test", "/", "/", "/test")]
    [InlineData("/", "/", "/pre", "/pre")]
    [InlineData("/a%20b/c", "/a%20b", "/x", "/x/c")]
    public void Matched_prefix_is_replaced_by_path_segment(string path, string prefix, string replacement, string expected) =>
        PathRewrite
            .Apply(new PathModifier { Type = "ReplacePrefixMatch", ReplacePrefixMatch = replacement }, path, prefix)
            .Should()
            .Be(expected);

    [Theory]
    [InlineData("no healthy upstream", "no healthy upstream")]
    [InlineData("disconnect/reset before headers. reset reason: x", "disconnect/reset before headers. reset reason: x")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("é", "%C3%A9")]
    public void Message_of_gRPC_encodes_only_what_is_not_printable(string text, string expected) =>
        LocalReply.GrpcMessage(text).Should().Be(expected);

    [Fact]
    public void Full_path_rewrite_replaces_the_path() =>
        PathRewrite.Apply(new PathModifier { Type = "ReplaceFullPath", ReplaceFullPath = "/new" }, "/old/path", "/old").Should().Be("/new");

    [Theory]
    [InlineData("/foo", "/foo", false)]
    [InlineData("/", "/", false)]
    [InlineData("//foo", "/foo", false)]
    [InlineData("/foo///bar//", "/foo/bar/", false)]
    [InlineData("/foo/../x", "/x", false)]
    [InlineData("/foo/../foo/x", "/foo/x", false)]
    [InlineData("/foo/./x/.", "/foo/x/", false)]
    [InlineData("/foo/x/..", "/foo/", false)]
    [InlineData("/../../x", "/x", false)]
    [InlineData("/foo/%2e%2E/x", "/x", false)]
    [InlineData("/foo\\..\\x", "/x", false)]
    [InlineData("/a%20b%7Ec", "/a%20b~c", false)]
    [InlineData("/100%", "/100%", false)]
    [InlineData("/%zz%2", "/%zz%2", false)]
    [InlineData("/...", "/...", false)]
    [InlineData("/foo%2Fbar", "/foo/bar", true)]
    [InlineData("/foo%2f..%5Cbar", "/bar", true)]
    public void Path_is_normalized_as_by_Envoy(string path, string expected, bool redirects) =>
        RequestPath.Normalize(path).Should().Be((expected, redirects));

    [Theory]
    [InlineData("example.com", null, null, null, 80, "http://example.com/p?q")]
    [InlineData("example.com", null, null, null, 8080, "http://example.com:8080/p?q")]
    [InlineData("example.com:9", null, null, null, 8080, "http://example.com:8080/p?q")]
    [InlineData("example.com", "https", null, null, 80, "https://example.com/p?q")]
    [InlineData("example.com:80", "https", null, null, 80, "https://example.com/p?q")]
    [InlineData("h:8080", "https", null, null, 8080, "https://h:8080/p?q")]
    [InlineData("h:8080", null, null, null, 80, "http://h:8080/p?q")]
    [InlineData("[::1]:8080", "https", null, null, 80, "https://[::1]:8080/p?q")]
    [InlineData("[::1]", "https", null, 8443, 80, "https://[::1]:8443/p?q")]
    [InlineData("example.com", "https", null, 8443, 80, "https://example.com:8443/p?q")]
    [InlineData("h:8080", null, "other.com", null, 80, "http://other.com/p?q")]
    [InlineData("h:8080", "http", "other.com", 80, 8080, "http://other.com/p?q")]
    public void Redirect_keeps_or_replaces_the_port_as_Envoy_does(
        string requested,
        string? scheme,
        string? host,
        int? port,
        int listener,
        string location
    ) =>
        Redirect
            .Location(
                new RequestRedirectFilter
                {
                    Scheme = scheme,
                    Hostname = host,
                    Port = port,
                },
                "http",
                requested,
                listener,
                "/p",
                "?q",
                "/"
            )
            .Should()
            .Be(location);

    [Theory]
    [InlineData("%REQ(X-REQUEST-ID)%", "abc")]
    [InlineData("id=%REQ(X-REQUEST-ID)%;", "id=abc;")]
    [InlineData("%REQ(X-MISSING)%", "-")]
    [InlineData("%REQ(X-MISSING?X-REQUEST-ID)%", "abc")]
    [InlineData("%RESPONSE_DURATION%", "17")]
    [InlineData("%RESPONSE_CODE% %PROTOCOL%", "200 HTTP/1.1")]
    [InlineData("100%%", "100%")]
    [InlineData("plain", "plain")]
    public void Substitutions_in_header_values_are_evaluated(string value, string expected) =>
        HeaderSubstitution.Evaluate(value, Context).Should().Be(expected);

    /// <summary>The messages are those of Envoy 1.40.</summary>
    [Theory]
    [InlineData("plain", null)]
    [InlineData("100%% of %REQ(X?Y):5%", null)]
    [InlineData("%ENVIRONMENT(PATH)%", null)]
    [InlineData("%START_TIME(%Y)% %START_TIME%", null)]
    [InlineData("%FOO%", "Not supported field in StreamInfo: FOO")]
    [InlineData("%FILE_CONTENT(/etc/passwd)%", "Not supported field in StreamInfo: FILE_CONTENT")]
    [InlineData("100%", "Incorrect configuration: 100%. Couldn't find valid command at position 3")]
    [InlineData("%a%", "Incorrect configuration: %a%. Couldn't find valid command at position 0")]
    [InlineData("%REQ%", "REQ requires parameters")]
    [InlineData("%PROTOCOL(x)%", "PROTOCOL does not take any parameters or length")]
    public void Header_value_is_judged_as_by_Envoy(string value, string? error) => HeaderFormat.Error(value).Should().Be(error);

    [Fact]
    public void Header_filter_sets_then_adds_then_removes()
    {
        var headers = new HeaderDictionary
        {
            ["A"] = "old",
            ["B"] = "old",
            ["C"] = "old",
        };

        HeaderChanges.Apply(
            headers,
            [
                new HeaderFilter
                {
                    Set = [new HeaderValue { Name = "a", Value = "new" }],
                    Add = [new HeaderValue { Name = "b", Value = "%REQ(x-request-id)%" }, new HeaderValue { Name = "d", Value = "1" }],
                    Remove = ["C"],
                },
            ],
            Context
        );

        headers["A"].Should().Equal("new");
        headers["B"].Should().Equal("old", "abc");
        headers["D"].Should().Equal("1");
        headers.Should().NotContainKey("C");
    }

    private static SubstitutionContext Context =>
        new()
        {
            RequestHeader = name => name.Equals("x-request-id", StringComparison.OrdinalIgnoreCase) ? "abc" : null,
            ResponseDuration = 17,
            ResponseCode = 200,
            Protocol = "HTTP/1.1",
        };
}
