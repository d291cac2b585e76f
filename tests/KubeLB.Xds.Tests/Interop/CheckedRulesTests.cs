using KubeLB.Tests.Shared;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>The checker of tests/interop/xds finds each kind of broken rule, and none is passed over.</summary>
public sealed class CheckedRulesTests(PublishedProtos protos) : IClassFixture<PublishedProtos>
{
    private const string Cluster = "envoy.config.cluster.v3.Cluster";
    private const string HealthCheck = "envoy.config.core.v3.HealthCheck";
    private const string Bootstrap = "envoy.config.bootstrap.v3.Bootstrap";
    private const string RouteAction = "envoy.config.route.v3.RouteAction";
    private const string Network = "envoy.extensions.filters.network.";

    /// <summary>Rule, type, JSON, path of what breaks it.</summary>
    public static TheoryData<string, string, string, string> Broken =>
        new()
        {
            { "bool.const", Bootstrap, """{"stats_flush_on_admin":false}""", "stats_flush_on_admin" },
            { "double.gte", "envoy.config.overload.v3.ThresholdTrigger", """{"value":-0.5}""", "value" },
            {
                "double.lte",
                Cluster,
                """{"name":"a","common_lb_config":{"healthy_panic_threshold":{"value":100.5} } }""",
                "common_lb_config.healthy_panic_threshold.value"
            },
            { "duration.gt", Cluster, """{"name":"a","connect_timeout":"0s"}""", "connect_timeout" },
            { "duration.gte", "envoy.config.core.v3.KeepaliveSettings", """{"timeout":"0.000999999s"}""", "timeout" },
            { "duration.lt", Bootstrap, """{"stats_flush_interval":"300s"}""", "stats_flush_interval" },
            {
                "duration.required",
                HealthCheck,
                """{"interval":"1s","unhealthy_threshold":1,"healthy_threshold":1,"tcp_health_check":{} }""",
                "timeout"
            },
            { "enum.defined_only", Cluster, """{"name":"a","lb_policy":99}""", "lb_policy" },
            {
                "enum.not_in",
                "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher",
                """{"matcher":{"exact":"a"} }""",
                "san_type"
            },
            {
                "int64.gt",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                """{"max_active_downstream_connections":0}""",
                "max_active_downstream_connections"
            },
            {
                "message.required",
                HealthCheck,
                """{"timeout":"1s","interval":"1s","healthy_threshold":1,"tcp_health_check":{} }""",
                "unhealthy_threshold"
            },
            {
                "oneof.required",
                Cluster,
                """{"name":"a","load_assignment":{"cluster_name":"a","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{} } }]}]} }""",
                "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.address"
            },
            {
                "repeated.max_items",
                "envoy.config.route.v3.VirtualHost",
                $$"""{"name":"a","domains":["*"],"request_headers_to_add":[{{Many("""{"header":{"key":"a"} }""", 1001)}}]}""",
                "request_headers_to_add"
            },
            {
                "repeated.min_items",
                "envoy.config.route.v3.RouteConfiguration",
                """{"virtual_hosts":[{"name":"a"}]}""",
                "virtual_hosts[0].domains"
            },
            { "string.in", "envoy.config.core.v3.SchemeHeaderTransformation", """{"scheme_to_overwrite":"ftp"}""", "scheme_to_overwrite" },
            {
                "string.max_bytes",
                "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                $$"""{"sni":"{{new string('ä', 128)}}"}""",
                "sni"
            },
            { "string.min_len", Cluster, """{"connect_timeout":"1s"}""", "name" },
            { "string.pattern", "envoy.config.route.v3.RouteMatch", """{"path_separated_prefix":"/a/"}""", "path_separated_prefix" },
            { "string.well_known_regex", RouteAction, """{"cluster":"a","prefix_rewrite":"/a\r\nb: c"}""", "prefix_rewrite" },
            {
                "uint32.gt",
                $"{Network}http_connection_manager.v3.HttpConnectionManager",
                """{"stat_prefix":"a","route_config":{},"max_request_headers_kb":0}""",
                "max_request_headers_kb"
            },
            {
                "uint32.gte",
                "envoy.config.core.v3.Http2ProtocolOptions",
                """{"initial_stream_window_size":65534}""",
                "initial_stream_window_size"
            },
            { "uint32.lt", "envoy.config.route.v3.DirectResponseAction", """{"status":600}""", "status" },
            { "uint32.lte", "envoy.config.core.v3.SocketAddress", """{"address":"a","port_value":70000}""", "port_value" },
            {
                "uint64.gt",
                "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                """{"max_heap_size_bytes":0}""",
                "max_heap_size_bytes"
            },
        };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Violated_rule_is_reported_with_the_field_path(string rule, string type, string json, string path) =>
        (await protos.CheckAsync(type, json))
            .Faults.Should()
            .Contain(f => f.StartsWith($"{path}: breaks {rule} ") || f.StartsWith($"{path}: breaks {rule}: "));

    [Fact]
    public void Each_rule_used_by_the_manager_is_enforced() =>
        Broken.Select(row => row.Data.Item1).Should().BeEquivalentTo(PublishedProtos.Rules);

    [Fact]
    public async Task Every_rule_in_the_published_files_belongs_to_a_field()
    {
        var count = await protos.CountAsync();

        count.GetProperty("loaded").GetRawText().Should().Be(count.GetProperty("stated").GetRawText());
        count.GetProperty("stated").GetProperty("rules").GetInt32().Should().BeGreaterThan(800);
        count.GetProperty("stated").GetProperty("required").GetInt32().Should().BeGreaterThan(100);
    }

    [Theory]
    [InlineData("string mail = 1 [(validate.rules).string.email = true];", "mail: string.email")]
    [InlineData("repeated string mails = 1 [(validate.rules).repeated = {items {string {email: true}}}];", "mails.items: string.email")]
    [InlineData("map<string, string> mails = 1 [(validate.rules).map = {values {string {email: true}}}];", "mails.values: string.email")]
    [InlineData("string mail = 1 [(validate.rules).uint32.gt = 1];", "mail: uint32")]
    [InlineData("option (validate.ignored) = true;", "(validate.ignored)")]
    public async Task Unknown_rule_on_an_unset_field_is_an_error(string content, string rule) =>
        (await protos.CheckAsync("odd.Odd", "{}", $$"""syntax = "proto3"; package odd; message Odd { {{content}} }"""))
            .Faults.Should()
            .Contain($"the rule {rule} of odd.Odd is not known to this checker");

    [Theory]
    [InlineData("envoy.config.route.v3.RedirectAction", """{"prefix_rewrite":""}""")]
    [InlineData("envoy.config.core.v3.UpstreamHttpProtocolOptions", """{"override_auto_sni_header":""}""")]
    [InlineData(
        HealthCheck,
        """{"timeout":"0.000000001s","interval":"5s","unhealthy_threshold":1,"healthy_threshold":0,"tcp_health_check":{} }"""
    )]
    [InlineData("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", """{"sni":"a"}""")]
    [InlineData("envoy.config.core.v3.SocketAddress", """{"address":"a","port_value":0}""")]
    public async Task Message_that_satisfies_the_rules_has_no_fault(string type, string json) =>
        (await protos.CheckAsync(type, json)).Faults.Should().BeEmpty();

    private static string Many(string json, int count) => string.Join(',', Enumerable.Repeat(json, count));
}
