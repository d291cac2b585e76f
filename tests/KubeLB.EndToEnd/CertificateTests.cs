using System.Net.Security;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Certificates of listeners are synced, follow their Secret, and are removed with their last Gateway.</summary>
public sealed class CertificateTests
{
    private const string Manifest = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: my-gateway
          namespace: default
        spec:
          gatewayClassName: kubelb
          listeners:
            - name: https
              protocol: HTTPS
              port: 443
              tls:
                certificateRefs:
                  - name: web
              allowedRoutes:
                namespaces:
                  from: All
        """;

    private const string Grant = """
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata:
          name: gateways
          namespace: certs
        spec:
          from:
            - group: gateway.networking.k8s.io
              kind: Gateway
              namespace: default
          to:
            - group: ""
              kind: Secret
              name: web
        """;

    [Fact]
    public async Task Listener_serves_the_tenants_certificate_and_its_rotation()
    {
        await using var fixture = await SystemFixture.StartAsync();
        var first = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(first.Secret("web"));
        await fixture.Tenant.ApplyAsync(Manifest);
        await WaitForListenerAsync(fixture, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(fixture, first);
        var secret = (await fixture.Tenant.GetAsync<V1Secret>("default", "web"))!;
        var syncSecret = (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Single();
        syncSecret.Name.Should().Be(secret.Metadata.Uid);
        syncSecret.Metadata.Annotations.Keys.Should().Equal(Annotations.Applied);
        await fixture.Management.WaitAsync<SyncSecret>("tenant-t1", syncSecret.Name, s => s.Status?.Phase == "Synced", "is synced");

        var second = new TlsPair("api.example.com");
        await fixture.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{second.Data}}}""");

        await ExpectCertificateAsync(fixture, second);
    }

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Https_request_reaches_a_pod(ProxyKind proxies)
    {
        await using var fixture = await SystemFixture.StartAsync(proxies: proxies);
        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(pair.Secret("web"));
        await fixture.Tenant.ApplyAsync(Manifest);
        foreach (var manifest in new[] { Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await fixture.Tenant.ApplyAsync(manifest);
        }

        var address = await fixture.AddressAsync();
        using var handler = fixture.Sandbox.CreateGatewayHandler();
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            TargetHost = "api.example.com",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == pair.Thumbprint,
        };
        using var client = new HttpClient(handler);
        await Eventually.GetAsync(
            "a pod answers over TLS",
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/")
                {
                    Headers = { Host = "api.example.com" },
                };
                try
                {
                    using var response = await client.SendAsync(request);
                    return await response.Content.ReadAsStringAsync();
                }
                catch (HttpRequestException e)
                {
                    return e.Message;
                }
            },
            answer => answer.Contains("\"pod\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Listener_without_its_Secret_reports_it_and_recovers_once_created()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Manifest);
        var listener = await WaitForListenerAsync(
            fixture,
            l => Condition(l, "ResolvedRefs") is { Status: "False" },
            "reports the missing Secret"
        );
        Condition(listener, "ResolvedRefs")!.Reason.Should().Be("InvalidCertificateRef");
        Condition(listener, "ResolvedRefs")!.Message.Should().Contain("Secret default/web does not exist").And.NotContain("tenant-t1");
        Condition(listener, "Programmed")!.Status.Should().Be("False");

        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(pair.Secret("web"));

        await WaitForListenerAsync(fixture, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(fixture, pair);
    }

    [Fact]
    public async Task Shared_certificate_is_removed_with_the_last_Gateway_that_uses_it()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await fixture.Tenant.ApplyAsync(Manifest);
        await fixture.Tenant.ApplyAsync(Manifest.Replace("my-gateway", "other"));
        var syncSecret = await SyncSecretAsync(fixture);

        await fixture.Tenant.DeleteAsync<Gateway>("default", "other");
        await fixture.Tenant.WaitGoneAsync<Gateway>("default", "other");
        await fixture.SettleAsync();
        (await SyncSecretAsync(fixture)).Metadata.Uid.Should().Be(syncSecret.Metadata.Uid);

        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}"""
        );
        await WaitForNoneAsync(fixture);
        (await fixture.Tenant.GetAsync<V1Secret>("default", "web"))!
            .Metadata.Finalizers.Should()
            .BeNullOrEmpty("the CCM sets no finalizer on the tenant's Secret");
    }

    [Fact]
    [Trait("Threat", "secret-changes")]
    public async Task Recreated_Secret_is_served_and_its_old_copy_is_removed()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await fixture.Tenant.ApplyAsync(Manifest);
        var old = await SyncSecretAsync(fixture);

        await fixture.Tenant.DeleteAsync<V1Secret>("default", "web");
        await fixture.Tenant.WaitGoneAsync<V1Secret>("default", "web");
        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(pair.Secret("web"));

        await fixture.Management.WaitGoneAsync<SyncSecret>("tenant-t1", old.Name);
        await ExpectCertificateAsync(fixture, pair);
        (await SyncSecretAsync(fixture)).Name.Should().Be((await fixture.Tenant.GetAsync<V1Secret>("default", "web"))!.Metadata.Uid);
    }

    [Fact]
    public async Task Secrets_changed_while_the_CCM_is_stopped_are_synced_after_its_start()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await fixture.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("doomed"));
        await fixture.Tenant.ApplyAsync(Manifest);
        await fixture.Tenant.ApplyAsync(Manifest.Replace("my-gateway", "other").Replace("- name: web", "- name: doomed"));
        await Eventually.HoldsAsync(
            async () => (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 2,
            "both are synced"
        );
        await WaitForListenerAsync(fixture, l => IsTrue(l, "Programmed"), "is programmed");
        await fixture.SettleAsync();

        await fixture.StopCcmAsync();
        fixture.ForgetRequests();
        await fixture.StartCcmAsync();
        await fixture.SettleAsync();
        fixture.Writes().Should().BeEmpty("nothing changed");

        await fixture.StopCcmAsync();
        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{pair.Data}}}""");
        await fixture.Tenant.DeleteAsync<V1Secret>("default", "doomed");
        await fixture.StartCcmAsync();

        await Eventually.HoldsAsync(
            async () => (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 1,
            "only one is synced"
        );
        await ExpectCertificateAsync(fixture, pair);
    }

    [Fact]
    public async Task Certificate_of_another_namespace_requires_a_ReferenceGrant()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: certs}}");
        var pair = new TlsPair("api.example.com");
        await fixture.Tenant.CreateAsync(pair.Secret("web", "certs"));
        await fixture.Tenant.ApplyAsync(Manifest.Replace("- name: web", "- {name: web, namespace: certs}"));
        var listener = await WaitForListenerAsync(
            fixture,
            l => Condition(l, "ResolvedRefs") is { Reason: "RefNotPermitted" },
            "is rejected"
        );
        Condition(listener, "Programmed")
            .Should()
            .Match<Condition>(c => c.Status == "False" && c.Message.Contains("Create one in namespace certs"));
        (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Should().BeEmpty();

        await fixture.Tenant.ApplyAsync(Grant);
        await WaitForListenerAsync(fixture, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(fixture, pair);

        await fixture.Tenant.DeleteAsync<ReferenceGrant>("certs", "gateways");
        await WaitForListenerAsync(fixture, l => Condition(l, "ResolvedRefs") is { Reason: "RefNotPermitted" }, "is rejected again");
        await WaitForNoneAsync(fixture);
    }

    private static async Task<SyncSecret> SyncSecretAsync(SystemFixture fixture) =>
        (
            await Eventually.GetAsync(
                "the certificate is synced",
                () => fixture.Management.ListAsync<SyncSecret>("tenant-t1"),
                found => found.Count == 1
            )
        ).Single();

    private static async Task WaitForNoneAsync(SystemFixture fixture)
    {
        await Eventually.HoldsAsync(
            async () => (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 0,
            "no SyncSecret is left"
        );
        await Eventually.HoldsAsync(
            async () =>
                (await fixture.Management.ListAsync<V1Secret>("tenant-t1")).All(s =>
                    s.Type != "kubernetes.io/tls" || s.Metadata.Name == "envoy-xds-client"
                ),
            "no certificate is left"
        );
    }

    private static async Task<ListenerStatus> WaitForListenerAsync(SystemFixture fixture, Func<ListenerStatus, bool> condition, string what)
    {
        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Listeners?.Any(condition) == true,
            $"has a listener that {what}"
        );
        return gateway.Status!.Listeners!.First(condition);
    }

    private static async Task ExpectCertificateAsync(SystemFixture fixture, TlsPair pair)
    {
        var address = await fixture.AddressAsync();
        await Eventually.GetAsync(
            $"{address} serves the certificate",
            () => ServedAsync(fixture, address, pair.Thumbprint),
            served => served == pair.Thumbprint
        );
    }

    private static async Task<string> ServedAsync(SystemFixture fixture, string address, string expected)
    {
        var served = "none";
        var handler = fixture.Sandbox.CreateGatewayHandler();
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            TargetHost = "api.example.com",
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                served = certificate?.GetCertHashString() ?? "none";
                return served == expected;
            },
        };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var response = await client.GetAsync(new Uri($"https://{address}/"));
            return served;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return $"{served}: {e.Message}";
        }
    }

    private static Condition? Condition(ListenerStatus listener, string type) => listener.Conditions?.FirstOrDefault(c => c.Type == type);

    private static bool IsTrue(ListenerStatus listener, string type) => Condition(listener, type)?.IsTrue == true;
}
