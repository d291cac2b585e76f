using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>Which client receives which configuration, and what a proxy receives when nothing has changed.</summary>
public sealed class XdsTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync(tenants: 2);
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Proxy_receives_the_listeners_of_the_tenant_in_its_certificate()
    {
        using var channel = Connect(await ClientAsync("tenant-t1"));
        using var call = await AskAsync(channel, "tenant-t1");

        (await call.ResponseStream.MoveNext(default)).Should().BeTrue();
        call.ResponseStream.Current.Resources.Should().ContainSingle().Which.Name.Should().StartWith("default-api-route-api-backend-8080");
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Certificate_of_one_tenant_is_rejected_for_another_tenants_configuration()
    {
        using var channel = Connect(await ClientAsync("tenant-t2"));
        using var call = await AskAsync(channel, "tenant-t1");

        var rejected = (
            await FluentActions.Awaiting(() => call.ResponseStream.MoveNext(default)).Should().ThrowAsync<RpcException>()
        ).Which;
        rejected.StatusCode.Should().Be(StatusCode.PermissionDenied);
        rejected.Status.Detail.Should().Contain("tenant-t2");
    }

    [Fact]
    [Trait("Threat", "xds-without-certificate")]
    public async Task Client_without_a_certificate_of_the_manager_is_rejected()
    {
        foreach (var certificate in new[] { null, SelfSigned() })
        {
            using var channel = Connect(certificate);
            var ended = await FluentActions
                .Awaiting(async () =>
                {
                    using var call = await AskAsync(channel, "tenant-t1");
                    await call.ResponseStream.MoveNext(default);
                })
                .Should()
                .ThrowAsync<Exception>();

            // The kind of failure depends on timing, but it is never after the handshake: there was no response.
            ended.Which.Should().Match<Exception>(e => e is IOException || IsOfTransport(e));
        }
    }

    // The expression trees of assertions do not support patterns.
    private static bool IsOfTransport(Exception e) => e is RpcException { StatusCode: StatusCode.Unavailable or StatusCode.Internal };

    [Fact]
    public async Task Up_to_date_proxy_receives_nothing_after_a_manager_restart()
    {
        var versions = Cached();

        await _fixture.RestartManagerAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(Cached().Count == versions.Count), "the manager has the tenant's configuration");
        Cached().Should().Equal(versions);

        using var channel = Connect(await ClientAsync("tenant-t1"));
        using var call = await AskAsync(channel, "tenant-t1", versions);
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "later").Replace("api.example.com", "later.example.com"));

        // The first response contains only the later route.
        (await call.ResponseStream.MoveNext(default))
            .Should()
            .BeTrue();
        call.ResponseStream.Current.Resources.Should()
            .OnlyContain(r => r.Name.StartsWith("default-later-", StringComparison.Ordinal))
            .And.NotBeEmpty();
        call.ResponseStream.Current.RemovedResources.Should().BeEmpty();
    }

    [Fact]
    public async Task Deleted_client_certificate_is_recreated_and_accepted()
    {
        var before = (await ClientAsync("tenant-t1")).SerialNumber;

        await _fixture.Management.DeleteAsync<V1Secret>("tenant-t1", "envoy-xds-client");

        await _fixture.Management.WaitAsync<V1Secret>("tenant-t1", "envoy-xds-client", s => Read(s).SerialNumber != before, "is another");
        using var channel = Connect(await ClientAsync("tenant-t1"));
        using var call = await AskAsync(channel, "tenant-t1");
        (await call.ResponseStream.MoveNext(default)).Should().BeTrue();
    }

    [Fact]
    public async Task Proxies_keep_serving_while_the_manager_is_stopped()
    {
        await _fixture.StopManagerAsync();

        await _fixture.ExpectBackendAsync("api.example.com");
    }

    private Dictionary<string, string> Cached() =>
        _fixture
            .Sandbox.Manager.Host!.Services.GetRequiredService<ResourceCache>()
            .List("tenant-t1", ResourceTypes.Listener)
            .ToDictionary(r => r.Name, r => r.Version);

    private static async Task<AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> AskAsync(
        GrpcChannel channel,
        string node,
        Dictionary<string, string>? versions = null
    )
    {
        var call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
            deadline: DateTime.UtcNow.AddSeconds(30)
        );
        var request = new DeltaDiscoveryRequest
        {
            Node = new Node { Id = node },
            TypeUrl = ResourceTypes.Listener,
            ResourceNamesSubscribe = { "*" },
        };
        request.InitialResourceVersions.Add(versions ?? []);
        await call.RequestStream.WriteAsync(request);
        return call;
    }

    private async Task<X509Certificate2> ClientAsync(string tenantNamespace) =>
        Read((await _fixture.Management.WaitAsync<V1Secret>(tenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there")));

    private static X509Certificate2 Read(V1Secret secret) =>
        X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(secret.Data["tls.crt"]), Encoding.UTF8.GetString(secret.Data["tls.key"]));

    private static X509Certificate2 SelfSigned()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("3f09b8dc.tenant-t1.proxies.kubelb.k8c.io");
        var request = new CertificateRequest("CN=tenant-t1", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private GrpcChannel Connect(X509Certificate2? certificate) =>
        GrpcChannel.ForAddress(
            $"https://{_fixture.Sandbox.Manager.Host!.Services.GetRequiredService<XdsEndpoint>().Address}",
            new GrpcChannelOptions
            {
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new System.Net.Security.SslClientAuthenticationOptions
                    {
                        ClientCertificates = certificate is null ? null : [certificate],
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                            certificate is X509Certificate2 server && server.MatchesHostname("envoycp.kubelb.svc"),
                    },
                },
            }
        );
}
