using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
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
    [InlineData("/bar", "/", "/xyz", "/xyz/bar")]
    [InlineData("/a%2Fb/c", "/a%2Fb", "/x", "/x/c")]
    public void Matched_prefix_is_replaced_by_path_segment(string path, string prefix, string replacement, string expected) =>
        PathRewrite
            .Apply(new PathModifier { Type = "ReplacePrefixMatch", ReplacePrefixMatch = replacement }, path, prefix)
            .Should()
            .Be(expected);

    [Fact]
    public void Full_path_rewrite_replaces_the_path() =>
        PathRewrite.Apply(new PathModifier { Type = "ReplaceFullPath", ReplaceFullPath = "/new" }, "/old/path", "/old").Should().Be("/new");

    [Theory]
    [InlineData(null, null, null, 80, "http://example.com/p?q")]
    [InlineData(null, null, null, 8080, "http://example.com:8080/p?q")]
    [InlineData("https", null, null, 80, "https://example.com/p?q")]
    [InlineData("https", null, 8443, 80, "https://example.com:8443/p?q")]
    [InlineData(null, "other.com", null, 80, "http://other.com/p?q")]
    [InlineData("http", "other.com", 80, 8080, "http://other.com/p?q")]
    public void Redirect_with_default_port_omits_the_port(string? scheme, string? host, int? port, int listener, string location) =>
        Redirect
            .Location(
                new RequestRedirectFilter
                {
                    Scheme = scheme,
                    Hostname = host,
                    Port = port,
                },
                "http",
                "example.com",
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
    [InlineData("%UNKNOWN_THING%", "-")]
    [InlineData("plain", "plain")]
    public void Substitutions_in_header_values_are_evaluated(string value, string expected) =>
        HeaderSubstitution.Evaluate(value, Context).Should().Be(expected);

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
