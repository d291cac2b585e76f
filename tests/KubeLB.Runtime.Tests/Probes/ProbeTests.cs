using System.Net;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Tests.Probes;

public sealed class ProbeTests
{
    private readonly FakeApiServer _server = new();

    [Fact]
    public async Task Readyz_is_unready_until_caches_have_synced()
    {
        _server.NotInstalled["widgets"] = true;
        await using var host = await TestHost.StartAsync(_server, options: o => o.ProbeAddress = "127.0.0.1:0");
        var endpoints = host.Host.Services.GetRequiredService<RuntimeEndpoints>();
        endpoints.Metrics.Should().BeNull();
        await Eventually.HoldsAsync(() => host.Widgets.LastError is not null, "the list has failed");

        (await host.GetAsync(endpoints.Probe, "/healthz")).Should().Be((HttpStatusCode.OK, "ok\n"));
        var (status, text) = await host.GetAsync(endpoints.Probe, "/readyz");
        status.Should().Be(HttpStatusCode.ServiceUnavailable);
        text.Should()
            .Be(
                "informer home/widgets.example.com: The API server of cluster \"home\" does not serve widgets.example.com in "
                    + "version v1alpha1; install the CustomResourceDefinition.\n"
            );

        _server.NotInstalled.Clear();
        await host.Widgets.WaitForSyncAsync(default);
        await Eventually.HoldsAsync(() => host.Widgets.LastError is null, "the error is over");
        (await host.GetAsync(endpoints.Probe, "/readyz")).Should().Be((HttpStatusCode.OK, "ok\n"));
        (await host.GetAsync(endpoints.Probe, "/readyz?verbose")).Text.Should().StartWith("informer home/widgets.example.com: ok");
        (await host.GetAsync(endpoints.Probe, "/metrics")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Kind_not_required_for_readiness_is_only_reported(bool disconnects)
    {
        _server.Intercept = r =>
            r.Path.Contains("/configmaps", StringComparison.Ordinal)
                ? FakeApiServer.Error(403, "Forbidden", "configmaps is forbidden")
                : null;
        await using var host = await TestHost.StartSyncedAsync(
            _server,
            c => c.Informer<Widget>().Informer<k8s.Models.V1ConfigMap>().RequiredForReadiness<Widget>(),
            options: o =>
            {
                o.ProbeAddress = "127.0.0.1:0";
                o.NotReadyWhenDisconnected = disconnects;
            }
        );
        var probe = host.Host.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        await Eventually.HoldsAsync(() => host.Cluster.Informer<k8s.Models.V1ConfigMap>().LastError is not null, "the list has failed");
        var (status, text) = await host.GetAsync(probe, "/readyz");
        status.Should().Be(HttpStatusCode.OK);
        text.Should().StartWith("informer home/configmaps: ok, but: The API server of cluster \"home\" forbids listing configmaps");

        _server.Intercept = r => r.Path.Contains("/widgets", StringComparison.Ordinal) ? FakeApiServer.Error(403, "Forbidden", "no") : null;
        _server.Widgets(c => c.Drop(false));
        await Eventually.HoldsAsync(() => host.Widgets.LastError is not null, "widgets cannot be watched any more");
        (await host.GetAsync(probe, "/readyz")).Status.Should().Be(disconnects ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK);
    }

    [Fact]
    public async Task Readiness_check_is_part_of_readyz()
    {
        var check = new SwitchedCheck { Problem = "no certificate yet" };
        await using var host = await TestHost.StartSyncedAsync(
            _server,
            services: s => s.AddSingleton<IReadinessCheck>(check),
            options: o => o.ProbeAddress = "127.0.0.1:0"
        );
        var probe = host.Host.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        (await host.GetAsync(probe, "/readyz")).Should().Be((HttpStatusCode.ServiceUnavailable, "xds server: no certificate yet\n"));
        check.Problem = null;
        (await host.GetAsync(probe, "/readyz")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Metrics_of_two_hosts_are_separate()
    {
        _server.PutWidget("a");
        var reconciler = new FuncReconciler();
        await using var one = await TestHost.StartSyncedAsync(
            _server,
            services: s => s.AddSingleton(reconciler).AddController<FuncReconciler>("widgets", c => c.Watch<Widget>("home")),
            options: o =>
            {
                o.Component = "kubelb_one";
                o.MetricsAddress = "127.0.0.1:0";
            }
        );
        await using var two = await TestHost.StartSyncedAsync(
            _server,
            options: o =>
            {
                o.Component = "kubelb_two";
                o.MetricsAddress = "127.0.0.1:0";
            }
        );
        string[] expected =
        [
            "reconcile_total{controller=\"widgets\",result=\"done\"} 1",
            "reconcile_duration_seconds_count{controller=\"widgets\"} 1",
            "workqueue_adds_total{controller=\"widgets\"} 1",
            "workqueue_depth{controller=\"widgets\"} 0",
            "informer_objects{cluster=\"home\",resource=\"widgets.example.com\"} 1",
            "informer_synced{cluster=\"home\",resource=\"widgets.example.com\"} 1",
            "api_requests_total{cluster=\"home\",verb=\"list\",resource=\"widgets.example.com\",code=\"200\"} 1",
            "cluster_up{cluster=\"home\"} 1",
            "leader 1",
        ];
        var text = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                text = (await one.GetAsync(one.Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics, "/metrics")).Text;
                return expected.All(line => text.Contains($"kubelb_one_{line}\n"));
            },
            "all metrics of the reconcile are there"
        );
        text.Should().NotContain("kubelb_two");
        var other = await two.GetAsync(two.Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics, "/metrics");
        other.Text.Should().Contain("kubelb_two_").And.NotContain("kubelb_one");
    }

    [Fact]
    public async Task Equal_addresses_share_a_listener_and_address_in_use_fails()
    {
        var port = FreePort();
        await using var host = await TestHost.StartAsync(_server, options: o => o.ProbeAddress = o.MetricsAddress = $"127.0.0.1:{port}");
        var endpoints = host.Host.Services.GetRequiredService<RuntimeEndpoints>();
        endpoints.Probe.Should().Be(endpoints.Metrics);
        (await host.GetAsync(endpoints.Probe, "/metrics")).Status.Should().Be(HttpStatusCode.OK);
        (await host.GetAsync(endpoints.Probe, "/healthz")).Status.Should().Be(HttpStatusCode.OK);

        await using var second = TestHost.Build(_server, options: o => o.ProbeAddress = $"127.0.0.1:{port}");
        var start = () => second.Host.StartAsync();
        await start
            .Should()
            .ThrowAsync<IOException>()
            .WithMessage($"Cannot listen on 127.0.0.1:{port} for probes:*. Set --health-probe-bind-address to another address.");

        await using var third = TestHost.Build(_server, options: o => o.MetricsAddress = $"127.0.0.1:{port}");
        var startThird = () => third.Host.StartAsync();
        await startThird.Should().ThrowAsync<IOException>().WithMessage("* for metrics:*. Set --metrics-addr to another address.");

        await using var both = TestHost.Build(_server, options: o => o.ProbeAddress = o.MetricsAddress = $"127.0.0.1:{port}");
        var startBoth = () => both.Host.StartAsync();
        await startBoth
            .Should()
            .ThrowAsync<IOException>()
            .WithMessage("* for probes and metrics:*. Set --health-probe-bind-address and --metrics-addr to another address.");
    }

    [Theory]
    [InlineData(":8081", null, 8081)]
    [InlineData("*:8081", null, 8081)]
    [InlineData("127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("localhost:80", "127.0.0.1", 80)]
    [InlineData("[::1]:80", "::1", 80)]
    public void Listen_addresses_are_parsed(string text, string? address, int port)
    {
        ListenAddress
            .Parse(text, loopbackByDefault: false)
            .Should()
            .Be(new ListenAddress(address is null ? null : IPAddress.Parse(address), port));
        ListenAddress.Parse(text, loopbackByDefault: true)!.Address.Should().NotBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData(null)]
    public void Empty_listen_address_disables_the_listener(string? text) => ListenAddress.Parse(text, false).Should().BeNull();

    [Theory]
    [InlineData("8081")]
    [InlineData(":99999")]
    [InlineData(":-1")]
    [InlineData("host.example:80")]
    public void Invalid_listen_address_is_rejected_with_the_valid_forms(string text) =>
        FluentActions
            .Invoking(() => ListenAddress.Parse(text, false))
            .Should()
            .Throw<FormatException>()
            .WithMessage($"Invalid listen address \"{text}\": use :PORT*");

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class SwitchedCheck : IReadinessCheck
    {
        public string Name => "xds server";

        public string? Problem { get; set; }
    }
}
