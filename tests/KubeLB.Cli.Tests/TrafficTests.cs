using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Metrics;
using KubeLB.Inspection.Overview;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Cli.Tests;

/// <summary>The figures of <c>kubelb top</c>, from the texts that Envoy returns.</summary>
public class TrafficTests
{
    private const string Namespace = "tenant-shop";
    private const string Port = "web-orders-api-8080-TCP";

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Counters_are_read_from_the_metrics_of_Envoy()
    {
        var counters = await ReadAsync(Metrics(requests: 12, errors: 3, failed: 2, active: 4, (5, 6), (10, 12)));

        var port = counters!.Ports[Port];
        (port.Requests, port.Errors, port.FailedConnections, port.Connections).Should().Be((12, 3, 2, 4));
        port.Latency.Buckets.Should().Equal((5, 6), (10, 12), (double.PositiveInfinity, 12));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>not found</html>")]
    [InlineData("# TYPE a counter\nprocess_cpu_seconds_total 3\n")]
    [InlineData("envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"a")]
    [InlineData("envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"a\"} x")]
    [InlineData("envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix")]
    public async Task Other_text_has_no_counters(string text) => (await ReadAsync(text)).Should().BeNull();

    [Theory]
    [InlineData("NaN")]
    [InlineData("+Inf")]
    [InlineData("-1")]
    [InlineData("1e308")]
    public async Task Number_that_is_no_count_is_ignored(string number)
    {
        var counters = await ReadAsync($"envoy_http_downstream_rq_total{{envoy_http_conn_manager_prefix=\"a\"}} {number}\n");

        (counters?.Ports["a"].Requests ?? 0).Should().Be(0);
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-Inf")]
    [InlineData("-1")]
    [InlineData("1e308")]
    public async Task Bound_that_is_no_duration_is_ignored(string bound)
    {
        const string Name = "envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=\"a\",le=";
        var counters = await ReadAsync($"{Name}\"{bound}\"}} 10\n{Name}\"+Inf\"}} 10\n");

        counters!.Ports["a"].Latency.Buckets.Should().Equal((double.PositiveInfinity, 10));
    }

    [Fact]
    public async Task Label_values_are_unescaped()
    {
        var counters = await ReadAsync(
            "envoy_http_downstream_rq_total{a=\"x,}\",envoy_http_conn_manager_prefix=\"q\\\"\\\\n\\n\"} 1 1700000000\n"
        );

        counters!.Ports.Should().ContainKey("q\"\\n\n").WhoseValue.Requests.Should().Be(1);
    }

    [Theory]
    [InlineData(0.5, 7.5)]
    [InlineData(0.25, 5)]
    [InlineData(0.99, 25)]
    public void Quantiles_are_interpolated_in_their_bucket(double quantile, double expected) =>
        new LatencyHistogram([(5, 25), (10, 75), (25, 98), (double.PositiveInfinity, 100)]).Quantile(quantile).Should().Be(expected);

    [Fact]
    public void Quantile_without_durations_is_unknown()
    {
        LatencyHistogram.Empty.Quantile(0.5).Should().BeNull();
        var idle = new LatencyHistogram([(5, 3), (double.PositiveInfinity, 3)]);
        idle.Since(idle).Quantile(0.5).Should().BeNull();
    }

    [Fact]
    public async Task Figures_are_those_of_the_interval_and_of_all_pods()
    {
        var report = await ReportAsync(
            [("a", Metrics(100, 10, 1, 2, (5, 100))), ("b", Metrics(50, 0, 0, 1, (5, 50)))],
            [("a", Metrics(110, 14, 3, 5, (5, 105), (10, 110))), ("b", Metrics(70, 0, 0, 0, (5, 70)))]
        );

        var tenant = report.Tenants.Should().ContainSingle().Subject;
        (tenant.Tenant, tenant.Proxies).Should().Be(("shop", 2));
        var backend = tenant.Backends.Should().ContainSingle().Subject;
        backend.Target.Should().Be(new TrafficTarget(HttpRoute.KindName, "web", "orders") { Service = "web/api:8080" });
        backend.Figures.Should().BeEquivalentTo(report.Total);
        (report.Total!.Requests, report.Total.Errors, report.Total.FailedConnections, report.Total.Connections).Should().Be((30, 4, 2, 5));
        (report.Total.RequestsPerSecond, report.Total.ErrorsPerSecond).Should().Be((6, 0.8));
        report.Total.Latency!.P50.Should().Be(3);
        report.Problems.Should().BeEmpty();
    }

    [Fact]
    public async Task Restarted_proxy_starts_at_zero_and_a_new_pod_has_no_interval()
    {
        var report = await ReportAsync(
            [("a", Metrics(100, 10, 5, 0, (5, 100)))],
            [("a", Metrics(3, 1, 0, 0, (5, 3))), ("new", Metrics(1000, 0, 0, 0))]
        );

        (report.Total!.Requests, report.Total.Errors, report.Total.FailedConnections).Should().Be((3, 1, 0));
        report.Tenants[0].Proxies.Should().Be(1);
        report.Total.Latency!.P99.Should().BeInRange(0, 5);
    }

    [Fact]
    public async Task Requests_to_a_deleted_Service_are_counted_without_a_route_and_own_listeners_are_not()
    {
        var text = Metrics(0, 0, 0, 0).Replace(Port, "web-gone-x-80-TCP", StringComparison.Ordinal);
        var later = Metrics(4, 0, 0, 0).Replace(Port, "web-gone-x-80-TCP", StringComparison.Ordinal);
        const string Own = "envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"kubelb_stats\"} ";
        var report = await ReportAsync([("a", text + Own + "1\n")], [("a", later + Own + "9\n")]);

        report.Total!.Requests.Should().Be(4);
        report.Tenants[0].Backends.Select(b => (b.Target.Name, b.Figures.Requests)).Should().Equal((null, 4), ("orders", 0));
    }

    [Fact]
    public async Task One_problem_of_many_tenants_is_one_line()
    {
        var problem = new StatusProblem("Forbidden", "No permission.");
        var samples = Enumerable
            .Range(0, 8)
            .Select(i => new TrafficSample(
                new TenantProxies($"t{i}", [], new Dictionary<string, TrafficTarget>()) { OtherPods = 1 },
                [],
                [problem, problem]
            ))
            .ToList();
        var all = new TrafficSamples(samples, []);

        var report = TrafficReport.Between(all, all, _time);

        report.Total.Should().BeNull();
        report.Problems.Should().ContainSingle(p => p.Reason == "Forbidden").Which.Tenants.Should().HaveCount(6).And.EndWith("3 more");
        var output = new StringWriter();
        await new TopOutput(output, "table").WriteAsync(report);
        output.ToString().Should().Contain("t0     0           –        –").And.Contain("Tenant t0, t1, t2, t3, t4, 3 more: Forbidden");
    }

    [Fact]
    public void Without_proxies_the_report_says_when_they_are_created()
    {
        var none = new TrafficSamples([], []);
        TrafficReport
            .Between(none, none, _time)
            .Problems.Should()
            .ContainSingle()
            .Which.Message.Should()
            .StartWith("There are no proxy pods.");

        var one = none with { OnlyTenant = "shop" };
        TrafficReport
            .Between(one, one, _time)
            .Problems.Should()
            .ContainSingle()
            .Which.Message.Should()
            .StartWith("Tenant shop has no proxy pods.");
    }

    [Fact]
    public void Objects_that_cannot_be_listed_are_named()
    {
        var objects = Objects();
        objects.Forbidden.Add(typeof(V1Pod));

        TenantProxies.Read(objects, null).Unreadable.Should().Equal("no permission to list V1Pod");
    }

    [Fact]
    public async Task Table_is_sorted_by_requests_and_has_dashes_without_figures()
    {
        var report = await ReportAsync([("a", Metrics(0, 0, 0, 0))], [("a", Metrics(1234, 617, 2, 3))]);
        var output = new StringWriter();

        await new TopOutput(output, "table").WriteAsync(report);

        output
            .ToString()
            .ReplaceLineEndings("\n")
            .Split('\n')
            .Select(line => line.TrimEnd())
            .Should()
            .Equal(
                "TENANT PROXIES REQ/S REQUESTS 5XX/S 5XX FAILED CONN P50 P95 P99 CONN",
                "shop   1         247     1234   123 50%           2   –   –   –    3",
                "",
                "TENANT ROUTE                SERVICE      REQ/S REQUESTS 5XX/S 5XX FAILED CONN P50 P95 P99 CONN",
                "shop   HTTPRoute web/orders web/api:8080   247     1234   123 50%           2   –   –   –    3",
                "",
                ""
            );
    }

    [Theory]
    [InlineData("json")]
    [InlineData("yaml")]
    public async Task Json_and_yaml_have_all_figures(string format)
    {
        var report = await ReportAsync([("a", Metrics(0, 0, 0, 0))], [("a", Metrics(10, 1, 2, 3, (5, 10)))]);
        var output = new StringWriter();

        await new TopOutput(output, format).WriteAsync(report);

        output
            .ToString()
            .Should()
            .ContainAll("requestsPerSecond", "errorsPerSecond", "failedConnections", "connections", "p95", "web/api:8080", "problems");
    }

    private static Task<ProxyCounters?> ReadAsync(string text) => ProxyCounters.ReadAsync(new StringReader(text), CancellationToken.None);

    private async Task<TrafficReport> ReportAsync((string Pod, string Text)[] before, (string Pod, string Text)[] after)
    {
        var proxies = TenantProxies.Read(Objects(), Namespace).Tenants.Should().ContainSingle().Subject;
        proxies.Pods.Should().ContainSingle().Which.Uid.Should().Be("uid-a");
        var first = await SampleAsync(before);
        _time.Advance(TimeSpan.FromSeconds(5));
        return TrafficReport.Between(first, await SampleAsync(after), _time);

        async Task<TrafficSamples> SampleAsync((string Pod, string Text)[] pods)
        {
            var read = new List<PodSample>();
            foreach (var (pod, text) in pods)
            {
                read.Add(new PodSample(pod, _time.GetTimestamp(), (await ReadAsync(text))!));
            }

            return new TrafficSamples([new TrafficSample(proxies, read, [])], []);
        }
    }

    private static FakeObjects Objects() =>
        new(
            Pod("a", ready: true),
            Pod("starting", ready: false),
            new V1Service
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "web-orders-api",
                    NamespaceProperty = Namespace,
                    Labels = new Dictionary<string, string>
                    {
                        [Labels.ManagedBy] = Labels.ManagedByKubelb,
                        [Labels.OriginNamespace] = "web",
                        [Labels.OriginName] = "api",
                    },
                    OwnerReferences =
                    [
                        new V1OwnerReference
                        {
                            ApiVersion = KubelbVersion.ApiVersion,
                            Kind = Route.KindName,
                            Name = "r",
                            Uid = "route-uid",
                        },
                    ],
                },
                Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 8080 }] },
            },
            new Route
            {
                Metadata =
                {
                    Name = "r",
                    NamespaceProperty = Namespace,
                    Uid = "route-uid",
                },
                Spec = new RouteSpec
                {
                    Source = new RouteSource
                    {
                        Kubernetes = new KubernetesSource
                        {
                            Resource = new JsonObject
                            {
                                ["apiVersion"] = GatewayApiVersion.ApiVersion,
                                ["kind"] = HttpRoute.KindName,
                                ["metadata"] = new JsonObject
                                {
                                    ["name"] = "orders",
                                    ["namespace"] = "web",
                                    ["uid"] = "r",
                                },
                            },
                        },
                    },
                },
            }
        );

    private static V1Pod Pod(string name, bool ready) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = Namespace,
                Uid = $"uid-{name}",
                Labels = new Dictionary<string, string> { [Labels.AppName] = Namespace, [Labels.AppManagedBy] = Labels.ManagedByKubelb },
            },
            Status = new V1PodStatus { Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False" }] },
        };

    private static string Metrics(int requests, int errors, int failed, int active, params (int Bound, int Count)[] buckets)
    {
        const string Label = $"envoy_http_conn_manager_prefix=\"{Port}\"";
        var lines = new List<string>
        {
            "# TYPE envoy_http_downstream_rq_total counter",
            $"envoy_http_downstream_rq_total{{{Label}}} {requests}",
            $"envoy_http_downstream_rq_xx{{envoy_response_code_class=\"2\",{Label}}} {requests - errors}",
            $"envoy_http_downstream_rq_xx{{envoy_response_code_class=\"5\",{Label}}} {errors}",
            $"envoy_http_downstream_cx_active{{{Label}}} {active}",
            $"envoy_cluster_upstream_cx_connect_fail{{envoy_cluster_name=\"{Port}\"}} {failed}",
            $"envoy_cluster_upstream_cx_connect_timeout{{envoy_cluster_name=\"{Port}\"}} 99",
        };
        lines.AddRange(buckets.Select(b => $"envoy_http_downstream_rq_time_bucket{{{Label},le=\"{b.Bound}\"}} {b.Count}"));
        if (buckets.Length > 0)
        {
            lines.Add($"envoy_http_downstream_rq_time_bucket{{{Label},le=\"+Inf\"}} {buckets[^1].Count}");
        }

        return string.Join('\n', lines) + "\n";
    }
}
