using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Backends that a route cannot use: requests to them get 500, and the rest of the route is served.</summary>
public sealed class InvalidBackendTests
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: {name: protocols, namespace: default}
        spec:
          selector: {app: api}
          ports:
          - {name: tls, port: 443, targetPort: 8080, appProtocol: https}
          - {name: quic, port: 81, protocol: UDP, targetPort: 8443}
          - {name: web, port: 81, targetPort: 8080}
        """;

    private const string Rules = """
        {"spec":{"rules":[
          {"matches":[{"path":{"value":"/tls"}}],"backendRefs":[{"name":"protocols","port":443}]},
          {"matches":[{"path":{"value":"/web"}}],"backendRefs":[{"name":"protocols","port":81}]},
          {"matches":[{"path":{"value":"/"}}],
           "filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"name":"missing","port":80}}}],
           "backendRefs":[{"name":"api-backend","port":8080}]}]}}
        """;

    [Fact]
    public async Task Incompatible_port_gets_500_and_a_missing_mirror_is_omitted()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Service);

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", Rules);

        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r =>
                Statuses.IsAccepted(r)
                && Statuses.Condition(r, "ResolvedRefs") is { Status: "False" } resolved
                && resolved.ObservedGeneration == r.Metadata.Generation,
            "reports the backends"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("UnsupportedProtocol");
        Statuses.Condition(route, "ResolvedRefs")!.Message.Should().Contain("appProtocol https").And.Contain("default/missing not found");
        await fixture.ExpectBackendAsync("api.example.com", path: "/web");
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.ExpectStatusAsync(await fixture.AddressAsync(), "api.example.com", 500, "/tls");
    }
}
