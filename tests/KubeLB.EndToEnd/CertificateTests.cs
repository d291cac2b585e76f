using System.Net.Security;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Certificates of listeners: they travel, follow their Secret, and leave with the last Gateway that uses them.</summary>
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
    public async Task A_listener_serves_the_tenants_certificate_and_its_rotation_arrives()
    {
        await using var bed = await SystemFixture.StartAsync();
        var first = new TlsPair("api.example.com");
        await bed.Tenant.CreateAsync(first.Secret("web"));
        await bed.Tenant.ApplyAsync(Manifest);
        await WaitForListenerAsync(bed, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(bed, first);
        var secret = (await bed.Tenant.GetAsync<V1Secret>("default", "web"))!;
        var syncSecret = (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Single();
        syncSecret.Name.Should().Be(secret.Metadata.Uid);
        syncSecret.Metadata.Annotations.Keys.Should().Equal(Annotations.Applied);
        await bed.Management.WaitAsync<SyncSecret>("tenant-t1", syncSecret.Name, s => s.Status?.Phase == "Synced", "is synced");

        var second = new TlsPair("api.example.com");
        await bed.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{second.Data}}}""");

        await ExpectCertificateAsync(bed, second);
    }

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Https_request_reaches_a_pod(ProxyKind proxies)
    {
        await using var bed = await SystemFixture.StartAsync(proxies: proxies);
        var pair = new TlsPair("api.example.com");
        await bed.Tenant.CreateAsync(pair.Secret("web"));
        await bed.Tenant.ApplyAsync(Manifest);
        foreach (var manifest in new[] { Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await bed.Tenant.ApplyAsync(manifest);
        }

        var address = await bed.AddressAsync();
        using var handler = bed.Sandbox.CreateGatewayHandler();
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
    public async Task A_certificate_that_comes_later_is_waited_for_in_the_tenants_own_words()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Manifest);
        var listener = await WaitForListenerAsync(bed, l => Condition(l, "ResolvedRefs") is { Status: "False" }, "says what is missing");
        Condition(listener, "ResolvedRefs")!.Reason.Should().Be("InvalidCertificateRef");
        Condition(listener, "ResolvedRefs")!.Message.Should().Contain("Secret default/web does not exist").And.NotContain("tenant-t1");
        Condition(listener, "Programmed")!.Status.Should().Be("False");

        var pair = new TlsPair("api.example.com");
        await bed.Tenant.CreateAsync(pair.Secret("web"));

        await WaitForListenerAsync(bed, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(bed, pair);
    }

    [Fact]
    public async Task Two_gateways_share_a_certificate_and_it_leaves_with_the_last()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await bed.Tenant.ApplyAsync(Manifest);
        await bed.Tenant.ApplyAsync(Manifest.Replace("my-gateway", "other"));
        var syncSecret = await SyncSecretAsync(bed);

        await bed.Tenant.DeleteAsync<Gateway>("default", "other");
        await bed.Tenant.WaitGoneAsync<Gateway>("default", "other");
        await bed.SettleAsync();
        (await SyncSecretAsync(bed)).Metadata.Uid.Should().Be(syncSecret.Metadata.Uid);

        await bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}"""
        );
        await WaitForNoneAsync(bed);
        (await bed.Tenant.GetAsync<V1Secret>("default", "web"))!
            .Metadata.Finalizers.Should()
            .BeNullOrEmpty("the tenant's Secret is not ours to hold");
    }

    [Fact]
    public async Task A_secret_that_is_created_anew_is_served_and_its_old_copy_goes()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await bed.Tenant.ApplyAsync(Manifest);
        var old = await SyncSecretAsync(bed);

        await bed.Tenant.DeleteAsync<V1Secret>("default", "web");
        await bed.Tenant.WaitGoneAsync<V1Secret>("default", "web");
        var pair = new TlsPair("api.example.com");
        await bed.Tenant.CreateAsync(pair.Secret("web"));

        await bed.Management.WaitGoneAsync<SyncSecret>("tenant-t1", old.Name);
        await ExpectCertificateAsync(bed, pair);
        (await SyncSecretAsync(bed)).Name.Should().Be((await bed.Tenant.GetAsync<V1Secret>("default", "web"))!.Metadata.Uid);
    }

    [Fact]
    public async Task What_changes_while_the_ccm_is_down_is_caught_up_with()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await bed.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("doomed"));
        await bed.Tenant.ApplyAsync(Manifest);
        await bed.Tenant.ApplyAsync(Manifest.Replace("my-gateway", "other").Replace("- name: web", "- name: doomed"));
        await Eventually.HoldsAsync("both are carried", async () => (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 2);
        await WaitForListenerAsync(bed, l => IsTrue(l, "Programmed"), "is programmed");
        await bed.SettleAsync();

        await bed.StopCcmAsync();
        bed.ForgetRequests();
        await bed.StartCcmAsync();
        await bed.SettleAsync();
        bed.Writes().Should().BeEmpty("nothing changed");

        await bed.StopCcmAsync();
        var pair = new TlsPair("api.example.com");
        await bed.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{pair.Data}}}""");
        await bed.Tenant.DeleteAsync<V1Secret>("default", "doomed");
        await bed.StartCcmAsync();

        await Eventually.HoldsAsync(
            "only one is carried",
            async () => (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 1
        );
        await ExpectCertificateAsync(bed, pair);
    }

    [Fact]
    public async Task A_certificate_of_another_namespace_needs_a_grant()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: certs}}");
        var pair = new TlsPair("api.example.com");
        await bed.Tenant.CreateAsync(pair.Secret("web", "certs"));
        await bed.Tenant.ApplyAsync(Manifest.Replace("- name: web", "- {name: web, namespace: certs}"));
        var listener = await WaitForListenerAsync(bed, l => Condition(l, "ResolvedRefs") is { Reason: "RefNotPermitted" }, "is refused");
        Condition(listener, "Programmed")
            .Should()
            .Match<Condition>(c => c.Status == "False" && c.Message.Contains("create one in namespace certs"));
        (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Should().BeEmpty();

        await bed.Tenant.ApplyAsync(Grant);
        await WaitForListenerAsync(bed, l => IsTrue(l, "ResolvedRefs") && IsTrue(l, "Programmed"), "is programmed");
        await ExpectCertificateAsync(bed, pair);

        await bed.Tenant.DeleteAsync<ReferenceGrant>("certs", "gateways");
        await WaitForListenerAsync(bed, l => Condition(l, "ResolvedRefs") is { Reason: "RefNotPermitted" }, "is refused again");
        await WaitForNoneAsync(bed);
    }

    private static async Task<SyncSecret> SyncSecretAsync(SystemFixture bed) =>
        (
            await Eventually.GetAsync(
                "the certificate is carried",
                () => bed.Management.ListAsync<SyncSecret>("tenant-t1"),
                found => found.Count == 1
            )
        ).Single();

    private static async Task WaitForNoneAsync(SystemFixture bed)
    {
        await Eventually.HoldsAsync(
            "no SyncSecret is left",
            async () => (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 0
        );
        await Eventually.HoldsAsync(
            "no certificate is left",
            async () =>
                (await bed.Management.ListAsync<V1Secret>("tenant-t1")).All(s =>
                    s.Type != "kubernetes.io/tls" || s.Metadata.Name == "envoy-xds-client"
                )
        );
    }

    private static async Task<ListenerStatus> WaitForListenerAsync(SystemFixture bed, Func<ListenerStatus, bool> condition, string what)
    {
        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Listeners?.Any(condition) == true,
            $"has a listener that {what}"
        );
        return gateway.Status!.Listeners!.First(condition);
    }

    private static async Task ExpectCertificateAsync(SystemFixture bed, TlsPair pair)
    {
        var address = await bed.AddressAsync();
        await Eventually.GetAsync(
            $"{address} serves the certificate",
            () => ServedAsync(bed, address, pair.Thumbprint),
            served => served == pair.Thumbprint
        );
    }

    private static async Task<string> ServedAsync(SystemFixture bed, string address, string expected)
    {
        var served = "none";
        var handler = bed.Sandbox.CreateGatewayHandler();
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
