using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>
/// The real Envoy, started with the arguments that the manager wrote into the Deployment and with the certificate of the tenant's Secret:
/// it receives its configuration over mutual TLS and forwards HTTP, gRPC, websockets and TCP. It listens on all interfaces, as in a pod.
/// </summary>
public sealed class EnvoyTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;
    private const int TcpPort = 20999;

    private readonly string _folder = Directory.CreateTempSubdirectory("envoy-tests-").FullName;
    private readonly StringBuilder _envoyOutput = new();
    private readonly EnvoyBackends _backends = new();
    private BareManagement _bare = null!;
    private IHost _manager = null!;
    private Process? _envoy;

    private TestCluster Management => _bare.Objects;

    public async ValueTask InitializeAsync()
    {
        await _backends.StartAsync();
        // The backends listen on ephemeral ports of the loopback interface.
        _bare = await BareManagement.StartAsync("addresses: {allow: [127.0.0.0/8], nodePorts: 1-65535}");
        _manager = await _bare.StartManagerAsync();
        await _bare.AddTenantAsync(_manager);
        await _bare.SetAddressesAsync("127.0.0.1");
        await Management.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await CreateAsync(CcmRoutes.Http(TenantNamespace, "web"), _backends.HttpPort);
        await CreateAsync(CcmRoutes.Grpc(TenantNamespace, "rpc"), _backends.GrpcPort);
    }

    public async ValueTask DisposeAsync()
    {
        if (_envoy is { HasExited: false })
        {
            _envoy.Kill();
            await _envoy.WaitForExitAsync();
        }

        _envoy?.Dispose();
        await _bare.DisposeAsync();
        await _backends.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Proxy_bootstrap_is_complete_in_arguments_and_Secret_files()
    {
        var arguments = await ArgumentsAsync();

        arguments.Should().StartWith("--config-yaml").And.ContainInOrder("--service-node", TenantNamespace);
        JsonNode
            .Parse(arguments[1])!
            .ToJsonString()
            .Should()
            .Contain($"\"port_value\":{Server.Port}")
            .And.NotContain(ProxyCertificateFiles.Folder);
        Directory
            .GetFiles(_folder)
            .Select(Path.GetFileName)
            .Should()
            .BeEquivalentTo("ca.crt", "tls.crt", "tls.key", ProxyCertificateFiles.CertificateFile, ProxyCertificateFiles.TrustFile);
    }

    [Fact]
    public Task Test_backends_answer_without_a_proxy() => ExpectResponsesAsync(_backends.HttpPort, _backends.GrpcPort, _backends.TcpPort);

    [Fact]
    public async Task Envoy_forwards_HTTP_gRPC_websockets_and_TCP()
    {
        // No supported route kind uses TCP; a TCP port is served nevertheless.
        _manager
            .Services.GetRequiredService<ResourceCache>()
            .Update(
                TenantNamespace,
                change =>
                {
                    var port = new ProxyPort("tcp", TcpPort, _backends.TcpPort, ProxyProtocol.Tcp);
                    var endpoints = EndpointsResource.NameFor(port.NodePort);
                    change.Set(endpoints, EndpointsResource.Build(endpoints, ["127.0.0.1"], port.NodePort));
                    change
                        .Set(port.Name, ClusterResource.Build(port, ["127.0.0.1"], EndpointDiscovery.Eds))
                        .Set(port.Name, ListenerResource.Build(port, ProxyHeaderLimits.Default));
                }
            );
        await StartEnvoyAsync();

        await ExpectResponsesAsync(await ProxyPortAsync("web"), await ProxyPortAsync("rpc"), TcpPort);
    }

    [Fact]
    public async Task Envoy_receives_a_new_route_and_keeps_serving_without_the_manager()
    {
        await StartEnvoyAsync();
        await CreateAsync(CcmRoutes.Http(TenantNamespace, "second"), _backends.HttpPort);
        var port = await ProxyPortAsync("second");
        await AnswersAsync(port);

        await _manager.StopAsync();

        (await new HttpClient().GetStringAsync($"http://127.0.0.1:{port}/still")).Should().Be("web /still");
    }

    [Fact]
    public async Task Listener_on_a_used_port_is_bound_once_the_port_is_free()
    {
        await StartEnvoyAsync();
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Server.ExclusiveAddressUse = true;
        holder.Start();
        var taken = ((IPEndPoint)holder.LocalEndpoint).Port;
        var port = new ProxyPort("late", taken, _backends.HttpPort, ProxyProtocol.Http1);
        var endpoints = EndpointsResource.NameFor(port.NodePort);
        _manager
            .Services.GetRequiredService<ResourceCache>()
            .Update(
                TenantNamespace,
                change =>
                    change
                        .Set(endpoints, EndpointsResource.Build(endpoints, ["127.0.0.1"], port.NodePort))
                        .Set(port.Name, ClusterResource.Build(port, ["127.0.0.1"], EndpointDiscovery.Eds))
                        .Set(port.Name, ListenerResource.Build(port, ProxyHeaderLimits.Default))
            );
        var streams = _manager.Services.GetRequiredService<XdsStreams>();
        IEnumerable<XdsRejection> Rejected() => streams.Describe().SelectMany(s => s.Types).SelectMany(t => t.Rejected.Values);
        await Eventually.HoldsAsync(
            () => Task.FromResult(Rejected().Any(r => r.Message.Contains("cannot bind", StringComparison.Ordinal))),
            "Envoy cannot bind it"
        );

        holder.Stop();

        await AnswersAsync(taken);
        await Eventually.HoldsAsync(() => Task.FromResult(!Rejected().Any()), "nothing is rejected any more");
    }

    [Fact]
    public async Task Envoy_disconnects_from_a_hanging_manager_and_reconnects_when_it_resumes()
    {
        await using var relay = new HangingRelay(Server);
        await StartEnvoyAsync(relay.Address);
        var streams = _manager.Services.GetRequiredService<XdsStreams>();
        await Eventually.HoldsAsync(() => Task.FromResult(streams.Count > 0), "it is connected");

        // Neither data nor a connection close, as from a failed machine.
        var hanging = Stopwatch.StartNew();
        await relay.HangAsync();
        output.WriteLine($"disconnected from a hanging manager after {hanging.Elapsed.TotalSeconds:0.0} s");
        await Eventually.HoldsAsync(() => Task.FromResult(streams.Count == 0), "the manager has ended the stream");

        // Until several connection attempts of Envoy have failed.
        await Eventually.HoldsAsync(() => Task.FromResult(relay.Rejected >= 4), "Envoy retries the connection");
        var starting = Stopwatch.StartNew();
        relay.Resume();
        await Eventually.HoldsAsync(() => Task.FromResult(streams.Count > 0), "it is connected again");
        output.WriteLine($"connected to a resumed manager after {starting.Elapsed.TotalSeconds:0.0} s");
        hanging.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(100));
        starting.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20));
    }

    private IPEndPoint Server => _manager.Services.GetRequiredService<XdsEndpoint>().Address!;

    private async Task CreateAsync(Route route, int nodePort)
    {
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = nodePort);
        await Management.CreateAsync(route);
    }

    private async Task<int> ProxyPortAsync(string route)
    {
        var service = await Management.WaitAsync<V1Service>(TenantNamespace, $"default-{route}-{route}", _ => true, "is generated");
        return int.Parse(service.Spec.Ports.Single().TargetPort.Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    // The pod's arguments, with another mount path of the Secret and another address of the manager.
    private async Task<string[]> ArgumentsAsync(IPEndPoint? server = null)
    {
        var secret = await Management.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        foreach (var (file, content) in secret.Data)
        {
            await File.WriteAllTextAsync(
                Path.Combine(_folder, file),
                Encoding.UTF8.GetString(content).Replace(ProxyCertificateFiles.Folder, _folder, StringComparison.Ordinal)
            );
        }

        var deployment = await Management.WaitAsync<V1Deployment>(TenantNamespace, $"envoy-{TenantNamespace}", _ => true, "is generated");
        string[] arguments = [.. deployment.Spec.Template.Spec.Containers.Single().Args];
        var bootstrap = JsonNode.Parse(arguments[1].Replace(ProxyCertificateFiles.Folder, _folder, StringComparison.Ordinal))!;
        foreach (
            var cluster in bootstrap["static_resources"]!["clusters"]!.AsArray().Where(c => c!["name"]!.GetValue<string>() == "xds_cluster")
        )
        {
            var address = cluster!["load_assignment"]!["endpoints"]![0]!["lb_endpoints"]![0]!["endpoint"]!["address"]!["socket_address"]!;
            address["address"] = "127.0.0.1";
            address["port_value"] = (server ?? Server).Port;
        }

        return ["--config-yaml", bootstrap.ToJsonString(), .. arguments[2..]];
    }

    private async Task StartEnvoyAsync(IPEndPoint? server = null)
    {
        _envoy = EnvoyBinary.Start(await ArgumentsAsync(server));
        _envoy.OutputDataReceived += (_, line) => Keep(line.Data);
        _envoy.ErrorDataReceived += (_, line) => Keep(line.Data);
        _envoy.BeginOutputReadLine();
        _envoy.BeginErrorReadLine();
        await AnswersAsync(await ProxyPortAsync("web"));
    }

    private Task AnswersAsync(int port) =>
        Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    using var response = await new HttpClient().GetAsync($"http://127.0.0.1:{port}/");
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException) when (!_envoy!.HasExited)
                {
                    return false;
                }
            },
            $"Envoy serves port {port}; its output: {_envoyOutput}"
        );

    private void Keep(string? line)
    {
        lock (_envoyOutput)
        {
            _envoyOutput.AppendLine(line);
        }
    }

    private static async Task ExpectResponsesAsync(int http, int grpc, int tcp)
    {
        (await new HttpClient().GetStringAsync($"http://127.0.0.1:{http}/hello")).Should().Be("web /hello");
        (await EnvoyBackends.CallGrpcAsync(grpc)).Should().Be("rpc");
        (await EchoOverWebSocketAsync(http)).Should().Be("ping");
        (await EchoOverTcpAsync(tcp)).Should().Be("ping");
    }

    private static async Task<string> EchoOverWebSocketAsync(int port)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/socket"), deadline.Token);
        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, deadline.Token);
        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer, deadline.Token);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static async Task<string> EchoOverTcpAsync(int port)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
        await client.GetStream().WriteAsync("ping"u8.ToArray(), deadline.Token);
        var buffer = new byte[4];
        await client.GetStream().ReadExactlyAsync(buffer, deadline.Token);
        return Encoding.UTF8.GetString(buffer);
    }
}
