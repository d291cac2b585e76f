using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// What a tenant sees of fields that are ignored or rejected, through its own CCM, and what becomes of objects that are already served.
/// </summary>
public sealed class FieldDecisionTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Theory]
    [InlineData("""{"addresses":[{"type":"IPAddress","value":"10.96.0.1"}]}""", "UnsupportedAddress", "spec.addresses")]
    [InlineData(
        """{"infrastructure":{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"x"}}}""",
        "InvalidParameters",
        "spec.infrastructure.parametersRef"
    )]
    [InlineData("""{"tls":{"backend":{"clientCertificateRef":{"name":"envoy-xds-client"}}}}""", "UnsupportedValue", "spec.tls.backend")]
    [Trait("Threat", "gateway-fields")]
    public async Task Served_Gateway_with_a_rejected_field_keeps_its_address_and_is_served_without_it(
        string spec,
        string reason,
        string field
    )
    {
        var address = await _fixture.AddressAsync();
        await _fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", $$"""{"spec":{{spec}}}""");

        var gateway = await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Accepted(g) is { Status: ConditionStatus.False } c && c.Reason == reason,
            "is rejected"
        );
        Accepted(gateway)!.Message.Should().Contain(field).And.Contain("Remove");
        Accepted(gateway)!.ObservedGeneration.Should().Be(gateway.Metadata.Generation);
        gateway.Status!.Addresses!.Select(a => a.Value).Should().Equal(address);
        var generated = await _fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway");
        (generated!.Spec!.Addresses, generated.Spec.Infrastructure, generated.Spec.Unknown).Should().Be((null, null, null));
        await _fixture.ExpectBackendAsync("api.example.com");
        await WaitForEventAsync("my-gateway", reason);

        await _fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"addresses":null,"infrastructure":null,"tls":null}}"""
        );

        await _fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is accepted again");
    }

    [Fact]
    [Trait("Threat", "gateway-fields")]
    public async Task New_Gateway_with_an_address_is_not_generated()
    {
        await _fixture.Tenant.CreateAsync(
            new Gateway
            {
                Metadata = { Name = "other", NamespaceProperty = "default" },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "kubelb",
                    Addresses = [new GatewayAddress { Type = "IPAddress", Value = "10.96.0.1" }],
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Port = 80,
                            Protocol = "HTTP",
                        },
                    ],
                },
            }
        );

        await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "other",
            g => Accepted(g) is { Status: ConditionStatus.False, Reason: "UnsupportedAddress" },
            "is rejected"
        );
        (await _fixture.Management.GetAsync<Gateway>("tenant-t1", "default-other")).Should().BeNull();

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"gatewayAddresses":["10.96.0.0/30"]}}}""");
        var generated = await _fixture.Management.WaitAsync<Gateway>("tenant-t1", "default-other", _ => true, "is generated");
        generated.Spec!.Addresses!.Single().Value.Should().Be("10.96.0.1");
        await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "other",
            g => Accepted(g)?.Reason != "UnsupportedAddress",
            "is no longer rejected for its address"
        );
    }

    [Fact]
    [Trait("Threat", "unknown-fields")]
    public async Task Ignored_fields_are_reported_until_they_are_removed()
    {
        await _fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"infrastructure":{"labels":{"example.com/a":"b"}}}}"""
        );

        var gateway = await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && Ignored(g) is { IsTrue: true },
            "is served, and reports the field"
        );
        Ignored(gateway)!.Message.Should().Contain("spec.infrastructure.labels");
        await WaitForEventAsync("my-gateway", RouteConditions.UnsupportedField);

        await _fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", """{"spec":{"infrastructure":null}}""");

        await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && Ignored(g) is null,
            "no longer reports it"
        );
    }

    [Fact]
    [Trait("Threat", "unvalidated-clients")]
    public async Task Listener_with_client_certificates_is_not_served_and_reports_it()
    {
        await _fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{
              "listeners":[
                {"name":"http","port":80,"protocol":"HTTP","allowedRoutes":{"namespaces":{"from":"All"}}},
                {"name":"https","port":443,"protocol":"HTTPS","tls":{"certificateRefs":[{"name":"cert"}]}}],
              "tls":{"frontend":{"default":{"validation":{"caCertificateRefs":[{"group":"","kind":"ConfigMap","name":"ca"}]}}}}}}
            """
        );

        var gateway = await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g =>
                g.Status?.Listeners?.Find(l => l.Name == "https")?.Conditions?.Find(c => c.Type == "Accepted")
                    is { Status: ConditionStatus.False, Reason: "UnsupportedValue" },
            "reports the listener"
        );

        gateway.Status!.Listeners!.Find(l => l.Name == "http")!.Conditions!.Find(c => c.Type == "Accepted")!.IsTrue.Should().BeTrue();
        var generated = await _fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway");
        generated!.Spec!.Listeners!.Select(l => l.Name).Should().Equal("http");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Theory]
    [InlineData("%ENVIRONMENT(PATH)%")]
    [InlineData("100%")]
    [Trait("Threat", "header-values")]
    public async Task Served_route_with_a_header_value_that_is_not_permitted_is_removed_until_corrected(string value)
    {
        await SetHeaderAsync(value);

        var route = await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: ConditionStatus.False, Reason: "UnsupportedValue" },
            "is rejected"
        );
        Statuses.Condition(route, "Accepted")!.Message.Should().Contain(value).And.Contain("%%");
        await _fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");

        await SetHeaderAsync("%REQ(X-REQUEST-ID)% 100%%");

        await _fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    private async Task SetHeaderAsync(string value) =>
        await _fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            $$$"""
            {"spec":{"rules":[{
              "filters":[{"type":"ResponseHeaderModifier","responseHeaderModifier":{"set":[{"name":"x-test","value":"{{{value}}}"}]}}],
              "backendRefs":[{"name":"api-backend","port":8080}]}]}}
            """
        );

    private async Task WaitForEventAsync(string name, string reason) =>
        await Eventually.GetAsync(
            $"Event {reason}",
            async () => await _fixture.Tenant.ListAsync<Corev1Event>("default"),
            events => events.Any(e => e.InvolvedObject.Name == name && e.Reason == reason && e.Type == "Warning")
        );

    private static Condition? Accepted(Gateway gateway) => gateway.Status?.Conditions?.Find(c => c.Type == "Accepted");

    private static Condition? Ignored(Gateway gateway) => gateway.Status?.Conditions?.Find(c => c.Type == GatewayConditions.FieldsIgnored);
}
