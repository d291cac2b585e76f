using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Manager.Services;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>xDS during changes of certificates and tenants; without Envoy Gateway and without running pods.</summary>
public sealed class XdsLifecycleTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private BareManagement _bare = null!;
    private IHost _manager = null!;

    private ResourceCache Cache => _manager.Services.GetRequiredService<ResourceCache>();

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _manager = await _bare.StartManagerAsync();
        await _bare.AddTenantAsync(_manager);
        await _bare.SetAddressesAsync("10.7.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Eventually.HoldsAsync(
            () => Task.FromResult(Cache.Count(TenantNamespace, ResourceTypes.Listener) == 1),
            "the route is served"
        );
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Configuration_of_a_deleted_tenant_is_removed_and_its_successor_is_served()
    {
        await _bare.Objects.DeleteAsync<Tenant>("", "t1");
        await _bare.Objects.WaitGoneAsync<Tenant>("", "t1");
        await Eventually.HoldsAsync(() => Task.FromResult(!Cache.Nodes.Contains(TenantNamespace)), "its configuration is removed");
        await Eventually.HoldsAsync(
            () => Task.FromResult(_manager.Services.GetRequiredService<PortAllocator>().Tenants == 0),
            "its ports are released"
        );

        await _bare.AddTenantAsync(_manager);
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Eventually.HoldsAsync(
            () => Task.FromResult(Cache.Count(TenantNamespace, ResourceTypes.Listener) == 1),
            "the route is served"
        );
    }

    [Fact]
    [Trait("Threat", "unreadable-service")]
    public async Task Route_with_an_invalid_Service_is_rejected_and_removed_with_its_tenant()
    {
        var other = await _bare.StartManagerAsync("other");
        await _bare.Objects.PatchAsync<Route>(
            TenantNamespace,
            "web",
            """
            {"spec":{"source":{"kubernetes":{"services":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web",
              "namespace":"default"},"spec":{"ports":[{"port":80,"nodePort":"NaN"}]}}]}}}}
            """
        );

        await _bare.Objects.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r =>
                r.Status?.Resources?.Route?.Conditions?.Any(c =>
                    c.Message.Contains("spec.ports[0].nodePort must be a number", StringComparison.Ordinal)
                ) == true,
            "is rejected"
        );
        foreach (var manager in new[] { _manager, other })
        {
            await Eventually.HoldsAsync(
                () =>
                    Task.FromResult(
                        manager.Services.GetRequiredService<ResourceCache>().Count(TenantNamespace, ResourceTypes.Listener) == 0
                    ),
                "it is not served"
            );
        }

        await _bare.Objects.DeleteAsync<Tenant>("", "t1");
        await _bare.Objects.WaitGoneAsync<Tenant>("", "t1");
    }

    // Like Envoy's, the connection is kept while it works; a new connection uses the current certificate.
    [Fact]
    public async Task Client_with_an_invalidated_certificate_reconnects_with_the_new_one()
    {
        var certificate = Read(
            await _bare.Objects.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there")
        );
        var old = certificate.SerialNumber;
        using var channel = Connect(() => certificate);
        (await AskAsync(channel)).Should().Be(StatusCode.OK);

        await _bare.Objects.DeleteAsync<V1Secret>("kubelb", "kubelb-xds-ca");
        certificate = Read(
            await _bare.Objects.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => Read(s).SerialNumber != old, "is another")
        );

        await Eventually.HoldsAsync(async () => await AskAsync(channel) == StatusCode.OK, "the client is accepted again");
    }

    [Fact]
    [Trait("Threat", "xds-successor")]
    public async Task Certificate_of_a_deleted_tenant_is_rejected_for_its_successor()
    {
        var old = Read(await _bare.Objects.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there"));
        using var channel = Connect(() => old);
        using var open = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
            deadline: DateTime.UtcNow.AddSeconds(30)
        );
        await open.RequestStream.WriteAsync(
            new DeltaDiscoveryRequest
            {
                Node = new Node { Id = TenantNamespace },
                TypeUrl = ResourceTypes.Listener,
            }
        );
        (await open.ResponseStream.MoveNext(default)).Should().BeTrue();

        await _bare.Objects.DeleteAsync<Tenant>("", "t1");
        await _bare.Objects.WaitGoneAsync<Tenant>("", "t1");
        var end = await FluentActions
            .Awaiting(async () =>
            {
                while (await open.ResponseStream.MoveNext(default)) { }
            })
            .Should()
            .ThrowAsync<RpcException>();
        end.Which.StatusCode.Should().Be(StatusCode.Unavailable, "an open stream would receive the configuration of the successor");
        await _bare.AddTenantAsync(_manager);
        var next = Read(
            await _bare.Objects.WaitAsync<V1Secret>(
                TenantNamespace,
                "envoy-xds-client",
                s => s.Data?.Count > 0 && Read(s).SerialNumber != old.SerialNumber,
                "is another"
            )
        );

        (await AskAsync(channel)).Should().Be(StatusCode.PermissionDenied);
        using var renewed = Connect(() => next);
        (await AskAsync(renewed)).Should().Be(StatusCode.OK);
    }

    private static X509Certificate2 Read(V1Secret secret) =>
        X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(secret.Data["tls.crt"]), Encoding.UTF8.GetString(secret.Data["tls.key"]));

    private static async Task<StatusCode> AskAsync(GrpcChannel channel)
    {
        using var call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
            deadline: DateTime.UtcNow.AddSeconds(20)
        );
        try
        {
            await call.RequestStream.WriteAsync(
                new DeltaDiscoveryRequest
                {
                    Node = new Node { Id = TenantNamespace },
                    TypeUrl = ResourceTypes.Listener,
                }
            );
            return await call.ResponseStream.MoveNext(default) ? StatusCode.OK : StatusCode.Unknown;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private GrpcChannel Connect(Func<X509Certificate2> certificate) =>
        GrpcChannel.ForAddress(
            $"https://{_manager.Services.GetRequiredService<XdsEndpoint>().Address}",
            new GrpcChannelOptions
            {
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate(),
                        RemoteCertificateValidationCallback = (_, shown, _, _) =>
                            shown is X509Certificate2 server && server.MatchesHostname("envoycp.kubelb.svc"),
                    },
                },
            }
        );
}
