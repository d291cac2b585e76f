using System.Net;
using System.Net.WebSockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.Nodes;

public sealed class EchoBackendsTests : IAsyncLifetime
{
    private readonly LoopbackAddresses _addresses = new();
    private EchoBackends _backends = null!;
    private EchoPod _pod = null!;
    private IPEndPoint _at = null!;

    public async ValueTask InitializeAsync()
    {
        _backends = await EchoBackends.StartAsync(_addresses);
        _pod = new EchoPod("tenant", "default", "api-1", "node-1", _addresses.Take());
        await _backends.ListenAsync(_pod, 8080);
        _at = _backends.Resolve(_pod.Address, 8080, "default/api-1");
    }

    public async ValueTask DisposeAsync()
    {
        await _backends.DisposeAsync();
        _addresses.Dispose();
    }

    [Theory]
    [InlineData("1.1", "HTTP/1.1")]
    [InlineData("2.0", "HTTP/2")]
    public async Task Echo_port_serves_HTTP_1_and_2(string version, string protocol)
    {
        var seen = await Http.EchoAsync(
            _at,
            "/a%2Fb/c?x=1&y",
            "api.example.com",
            Version.Parse(version),
            request =>
            {
                request.Method = HttpMethod.Post;
                request.Content = new StringContent("hello");
                request.Headers.Add("X-Custom", ["one", "two"]);
            }
        );

        seen.Protocol.Should().Be(protocol);
        seen.Method.Should().Be("POST");
        seen.Path.Should().Be("/a%2Fb/c");
        seen.Query.Should().Be("?x=1&y");
        seen.Host.Should().Be("api.example.com");
        seen.Body.Should().Be("hello");
        seen.BodyLength.Should().Be(5);
        string.Join(", ", seen.Headers["x-custom"]).Should().Be("one, two");
        seen.Pod.Should().Be("api-1");
        seen.Namespace.Should().Be("default");
        seen.Node.Should().Be("node-1");
        seen.ContainerPort.Should().Be(8080);
        seen.PodIp.Should().Be(_pod.Address.ToString());
    }

    [Theory]
    [InlineData("x-echo-status", "700", "Header x-echo-status, now \"700\", must be a status from 200 to 599, or reset.")]
    [InlineData("x-echo-status", "", "Header x-echo-status, now \"\", must be a status from 200 to 599, or reset.")]
    [InlineData("x-echo-delay-ms", "1s", "Header x-echo-delay-ms, now \"1s\", must be a number of milliseconds from 0 to 60000.")]
    [InlineData("x-echo-delay-ms", "60001", "Header x-echo-delay-ms, now \"60001\", must be a number of milliseconds from 0 to 60000.")]
    [InlineData(
        "X-Echo-Failing-Attempts",
        "-1",
        "Header x-echo-failing-attempts, now \"-1\", must be a number of attempts from 0 to 1000000."
    )]
    [InlineData("x-echo-delay", "10", "Header x-echo-delay is not known; use x-echo-status, x-echo-delay-ms or x-echo-failing-attempts.")]
    public async Task Invalid_fault_header_gets_400_with_the_permitted_values(string name, string value, string message)
    {
        using var response = await Http.SendAsync(_at, configure: request => request.Headers.TryAddWithoutValidation(name, value));

        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).Should().Be(message + "\n");
    }

    [Fact]
    public async Task Invalid_fault_header_of_a_gRPC_call_gets_InvalidArgument()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_at}");
        using var call = channel
            .CreateCallInvoker()
            .AsyncUnaryCall(BytesMethod(MethodType.Unary), null, new CallOptions(new Metadata { { "x-echo-status", "14" } }), []);

        var error = (await FluentActions.Awaiting(() => call.ResponseAsync).Should().ThrowAsync<RpcException>()).Which;
        error.StatusCode.Should().Be(StatusCode.InvalidArgument);
        error.Status.Detail.Should().StartWith("Header x-echo-status, now \"14\", must be a status from 200 to 599");
    }

    [Fact]
    public async Task Long_body_is_counted_and_truncated()
    {
        var seen = await Http.EchoAsync(
            _at,
            configure: request =>
            {
                request.Method = HttpMethod.Put;
                request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(new string('x', 100_000)));
            }
        );

        seen.BodyLength.Should().Be(100_000);
        seen.Body.Should().HaveLength(16 * 1024);
    }

    [Fact]
    public async Task Unary_gRPC_method_is_echoed_with_the_pod_name()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_at}");
        var call = channel.CreateCallInvoker().AsyncUnaryCall(BytesMethod(MethodType.Unary), null, default, "hello"u8.ToArray());

        (await call.ResponseAsync).Should().Equal("hello"u8.ToArray());
        (await call.ResponseHeadersAsync).GetValue("x-echo-pod").Should().Be("api-1");
        call.GetStatus().StatusCode.Should().Be(StatusCode.OK);
        call.GetTrailers().GetValue("x-echo-pod").Should().Be("api-1");
    }

    [Fact]
    public async Task Streaming_gRPC_method_is_echoed_by_message()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_at}");
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(BytesMethod(MethodType.DuplexStreaming), null, default);

        foreach (var message in new[] { "one", "two" })
        {
            await call.RequestStream.WriteAsync(Encoding.ASCII.GetBytes(message));
            (await call.ResponseStream.MoveNext(CancellationToken.None)).Should().BeTrue();
            Encoding.ASCII.GetString(call.ResponseStream.Current).Should().Be(message);
        }

        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext(CancellationToken.None)).Should().BeFalse();
    }

    [Fact]
    public async Task WebSocket_message_is_echoed()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_at}/chat"), CancellationToken.None);
        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);

        var buffer = new byte[100];
        var answer = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Encoding.ASCII.GetString(buffer, 0, answer.Count).Should().Be("ping");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        socket.State.Should().Be(WebSocketState.Closed);
    }

    [Fact]
    public async Task Stopped_pod_refuses_connections()
    {
        await _backends.StopAsync(_pod);

        var send = () => Http.SendAsync(_at);
        await send.Should().ThrowAsync<HttpRequestException>();
    }

    private static Method<byte[], byte[]> BytesMethod(MethodType type)
    {
        var bytes = new Marshaller<byte[]>(b => b, b => b);
        return new Method<byte[], byte[]>(type, "my.service.v1.MyService", "MyMethod", bytes, bytes);
    }
}
