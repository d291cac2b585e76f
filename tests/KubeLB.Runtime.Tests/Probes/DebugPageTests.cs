using System.Net;
using System.Text.Json.Nodes;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Tests.Probes;

public sealed class DebugPageTests
{
    private static readonly Dictionary<string, string> NoQuery = [];
    private readonly DebugPages _pages = new(new KubeRuntimeOptions { ProbeAddress = ":8081" }, [new EchoPage()]);

    [Fact]
    [Trait("Threat", "xds-debug-page")]
    public async Task Debug_page_is_served_on_the_probe_listener_only()
    {
        await using var host = await TestHost.StartSyncedAsync(
            new FakeApiServer(),
            services: s => s.AddSingleton<IDebugPage, EchoPage>(),
            options: o => (o.ProbeAddress, o.MetricsAddress) = ("127.0.0.1:0", "127.0.0.1:0")
        );
        var endpoints = host.Host.Services.GetRequiredService<RuntimeEndpoints>();

        (await host.GetAsync(endpoints.Probe, "/debug/echo?tenant=t1&tenant=t2"))
            .Should()
            .Be((HttpStatusCode.OK, "{\n  \"tenant\": \"t2\"\n}\n"));
        (await host.GetAsync(endpoints.Probe, "/debug/other")).Status.Should().Be(HttpStatusCode.NotFound);
        (await host.GetAsync(endpoints.Metrics, "/debug/echo")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.8.9.10", 200)]
    [InlineData("::1", 200)]
    [InlineData("::ffff:127.0.0.1", 200)]
    [InlineData("10.0.0.7", 403)]
    [InlineData("::ffff:10.0.0.7", 403)]
    [InlineData("fe80::1", 403)]
    [InlineData(null, 403)]
    [Trait("Threat", "xds-debug-page")]
    public void Clients_outside_the_loopback_interface_are_forbidden(string? client, int status) =>
        _pages
            .Respond("/debug/echo", "GET", client is null ? null : IPAddress.Parse(client), () => NoQuery)!
            .Value.Status.Should()
            .Be(status);

    [Fact]
    public void Forbidden_response_explains_port_forwarding() =>
        _pages
            .Respond("/debug/echo", "GET", IPAddress.Parse("10.0.0.7"), () => NoQuery)!
            .Value.Text.Should()
            .Be(
                "Only clients on the loopback interface can read this page: run kubectl port-forward POD 8081, then "
                    + "curl http://localhost:8081/debug/echo.\n"
            );

    [Fact]
    [Trait("Threat", "xds-debug-page")]
    public void Debug_page_rejects_POST() =>
        _pages.Respond("/debug/echo", "POST", IPAddress.Loopback, () => NoQuery)!.Value.Status.Should().Be(405);

    [Theory]
    [InlineData("/debug/echo/../echo")]
    [InlineData("/debug/echo/")]
    [InlineData("/debug/echo\0")]
    [InlineData("/DEBUG/echo")]
    [InlineData("/debug")]
    [Trait("Threat", "xds-debug-page")]
    public void Another_path_is_no_debug_page(string path) =>
        _pages.Respond(path, "GET", IPAddress.Loopback, () => NoQuery).Should().BeNull();

    private sealed class EchoPage : IDebugPage
    {
        public string Path => "/debug/echo";

        public JsonNode Show(IReadOnlyDictionary<string, string> query) =>
            new JsonObject(query.Select(q => KeyValuePair.Create(q.Key, (JsonNode?)JsonValue.Create(q.Value))));
    }
}
