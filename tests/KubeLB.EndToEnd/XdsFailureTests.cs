using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>Rejected and reset xDS connections are logged with peer, reason and remedy, and counted in a metric.</summary>
public sealed class XdsFailureTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private readonly CapturedLogs _logs = new();
    private BareManagement _bare = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _manager = await _bare.StartManagerAsync(configure: services => services.AddLogging(logging => logging.AddProvider(_logs)));
        await _bare.AddTenantAsync(_manager);
        await Eventually.HoldsAsync(
            () => Task.FromResult(_manager.Services.GetRequiredService<XdsCertificates>().Server is not null),
            "the manager has a server certificate"
        );
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Healthy_proxy_is_not_counted_as_a_failure()
    {
        using (var proxy = new RawProxy(Server, TenantNamespace, await CertificateAsync()))
        {
            await proxy.SubscribeAsync(ResourceTypes.Cluster);
            await proxy.AckAsync(await proxy.ReceiveAsync());
        }

        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    _logs.Lines.Any(l =>
                        l.Contains("closed", StringComparison.Ordinal) && l.Contains("xDS stream", StringComparison.Ordinal)
                    )
                ),
            "its stream has ended"
        );
        Warnings().Should().BeEmpty();
        (await FailuresAsync()).Should().BeEmpty();
    }

    [Fact]
    [Trait("Threat", "xds-without-certificate")]
    public async Task Client_in_plain_text_is_reported_once_and_counted_each_time()
    {
        for (var i = 0; i < 3; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(Server);
            await client.GetStream().WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
            _ = await client.GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        }

        await FailuresAsync("tls_handshake", 3);
        Warnings()
            .Should()
            .ContainSingle()
            .Which.Should()
            .Contain("127.0.0.1")
            .And.Contain("Remedy: check that the client uses the current Secret envoy-xds-client");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u0016\u0003\u0001\u0002")]
    [Trait("Threat", "xds-idle-connections")]
    public async Task Connection_without_a_complete_handshake_is_closed(string beginning)
    {
        var clients = Enumerable.Range(0, 50).Select(_ => new TcpClient()).ToList();
        foreach (var client in clients)
        {
            await client.ConnectAsync(Server);
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(beginning));
        }

        // Ten times the timeout of a handshake.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        foreach (var client in clients)
        {
            using (client)
            {
                (await client.GetStream().ReadAtLeastAsync(new byte[1024], 1024, throwOnEndOfStream: false, deadline.Token))
                    .Should()
                    .BeLessThan(1024, "the server ends the connection");
            }
        }
    }

    [Fact]
    [Trait("Threat", "xds-without-certificate")]
    public async Task Client_without_certificate_is_reported()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Server);
        await using var tls = new SslStream(
            client.GetStream(),
            leaveInnerStreamOpen: false,
            (_, shown, _, _) => shown is X509Certificate2 server && server.MatchesHostname("envoycp.kubelb.svc")
        );
        var handshake = async () =>
        {
            await tls.AuthenticateAsClientAsync("envoycp.kubelb.svc");
            await tls.ReadExactlyAsync(new byte[1]);
        };
        await handshake.Should().ThrowAsync<Exception>();

        await FailuresAsync("tls_handshake", 1);
        Warnings().Should().ContainSingle();
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Stream_without_node_id_is_reported_with_the_cause()
    {
        using var proxy = new RawProxy(Server, "", await CertificateAsync());
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        await proxy.EndAsync();

        await FailuresAsync("stream_invalidargument", 1);
        Warnings().Should().ContainSingle().Which.Should().Contain("node.id is empty");
    }

    [Fact]
    [Trait("Threat", "xds-unknown-requests")]
    public async Task Method_that_is_not_served_is_reported()
    {
        using var channel = RawProxy.Channel(Server, await CertificateAsync());
        var method = new Method<byte[], byte[]>(
            MethodType.Unary,
            "envoy.service.runtime.v3.RuntimeDiscoveryService",
            "FetchRuntime",
            Marshallers.Create(b => b, b => b),
            Marshallers.Create(b => b, b => b)
        );
        var asking = async () =>
            await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(30)), []);
        (await asking.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Unimplemented);

        await FailuresAsync("unimplemented", 1);
    }

    private System.Net.IPEndPoint Server => _manager.Services.GetRequiredService<XdsEndpoint>().Address!;

    private List<string> Warnings() =>
        [.. _logs.Lines.Where(l => l.StartsWith("Warning xDS server rejected or reset", StringComparison.Ordinal))];

    private async Task<X509Certificate2> CertificateAsync()
    {
        var secret = await _bare.Objects.WaitAsync<V1Secret>(
            TenantNamespace,
            CertificateSecrets.Client,
            s => s.Data?.Count > 0,
            "is there"
        );
        return X509Certificate2.CreateFromPem(
            Encoding.UTF8.GetString(secret.Data["tls.crt"]),
            Encoding.UTF8.GetString(secret.Data["tls.key"])
        );
    }

    private Task<List<string>> FailuresAsync(string kind, int count) =>
        Eventually.GetAsync(
            $"{count} failures of kind {kind}",
            FailuresAsync,
            lines => lines.SequenceEqual([$"kubelb_manager_xds_failures_total{{kind=\"{kind}\"}} {count}"]),
            lines => string.Join("\n", lines)
        );

    private async Task<List<string>> FailuresAsync()
    {
        using var text = new MemoryStream();
        await _manager.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return
        [
            .. Encoding
                .UTF8.GetString(text.ToArray())
                .Split('\n')
                .Where(l => l.StartsWith("kubelb_manager_xds_failures_total{", StringComparison.Ordinal)),
        ];
    }
}
