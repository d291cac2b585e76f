using System.Text.Json;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Fields;

namespace KubeLB.Manager.Tests.Proxies;

/// <summary>
/// The real Envoy accepts every header value that KubeLB permits, and rejects a whole configuration for some of those that KubeLB rejects.
/// </summary>
[Trait("Threat", "header-values")]
public sealed class EnvoyHeaderTests
{
    [Fact]
    public async Task Envoy_accepts_every_permitted_operator()
    {
        string[] values =
        [
            .. HeaderFormat.PermittedOperators.Select(name =>
                HeaderFormat.IsPermitted($"%{name}%") ? $"%{name}%" : $"%{name}(x-a?x-b):10%"
            ),
            "%REQ(:authority)%",
            "%REQ(X-REQUEST-ID)%",
            "%START_TIME(%Y/%m/%dT%H:%M:%S%z %s.%3f)%",
            "100%%",
            "%%%REQ(x)%%%",
            "a\ttab",
        ];
        values.Should().OnlyContain(value => HeaderFormat.IsPermitted(value)).And.HaveCountGreaterThan(20);

        (await EnvoyAcceptsAsync(values)).Should().BeTrue();
    }

    [Theory]
    [InlineData("100%")]
    [InlineData("%REQ(x)")]
    [InlineData("%REQ%")]
    [InlineData("%REQ(a?b?c)%")]
    [InlineData("%PROTOCOL:5%")]
    [InlineData("%PROTOCOL(x)%")]
    [InlineData("%START_TIME(%n)%")]
    [InlineData("%START_TIME(%3n)%")]
    [InlineData("%START_TIME(%%n)%")]
    [InlineData("%FILE_CONTENT(/certs/tls.key)%")]
    [InlineData("%KUBELB%")]
    public async Task Envoy_rejects_a_configuration_with_a_malformed_value(string value)
    {
        HeaderFormat.IsPermitted(value).Should().BeFalse();

        (await EnvoyAcceptsAsync(value)).Should().BeFalse();
    }

    [Theory]
    [InlineData("%ENVIRONMENT(PATH)%")]
    [InlineData("%HOSTNAME%")]
    [InlineData("%UPSTREAM_HOST%")]
    [InlineData("%DYNAMIC_METADATA(a:b)%")]
    [InlineData("%FILTER_STATE(a)%")]
    public async Task Value_that_Envoy_accepts_is_rejected_for_what_it_reads(string value)
    {
        HeaderFormat.IsPermitted(value).Should().BeFalse();

        (await EnvoyAcceptsAsync(value)).Should().BeTrue("otherwise it belongs to the malformed values");
    }

    private static async Task<bool> EnvoyAcceptsAsync(params string[] values)
    {
        var headers = values.Select((value, i) => new { header = new { key = $"x-{i}", value } });
        var configuration = JsonSerializer.Serialize(
            new
            {
                static_resources = new
                {
                    listeners = new[]
                    {
                        new
                        {
                            address = new { socket_address = new { address = "127.0.0.1", port_value = 10000 } },
                            filter_chains = new[] { new { filters = new[] { Filter(headers) } } },
                        },
                    },
                },
            }
        );
        return await EnvoyBinary.ProblemAsync(configuration) is null;
    }

    private static Dictionary<string, object> Filter(object headers) =>
        new Dictionary<string, object>
        {
            ["name"] = "envoy.filters.network.http_connection_manager",
            ["typed_config"] = new Dictionary<string, object>
            {
                ["@type"] = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                ["stat_prefix"] = "test",
                ["http_filters"] = new object[]
                {
                    new Dictionary<string, object>
                    {
                        ["name"] = "envoy.filters.http.router",
                        ["typed_config"] = new Dictionary<string, object>
                        {
                            ["@type"] = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                        },
                    },
                },
                ["route_config"] = new
                {
                    virtual_hosts = new[]
                    {
                        new
                        {
                            name = "all",
                            domains = new[] { "*" },
                            routes = new[]
                            {
                                new
                                {
                                    match = new { prefix = "/" },
                                    direct_response = new { status = 200 },
                                    request_headers_to_add = headers,
                                    response_headers_to_add = headers,
                                },
                            },
                        },
                    },
                },
            },
        };
}
