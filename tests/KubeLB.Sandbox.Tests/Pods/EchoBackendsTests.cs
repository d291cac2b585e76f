using System.Net;
using System.Net.WebSockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.Pods;

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
    public async Task OnePortAnswersBothVersionsOfHttpWithTheRequestItSaw(string version, string protocol)
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

    [Fact]
    public async Task ALongBodyIsCountedButNotReturnedWhole()
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
    public async Task AnyUnaryGrpcMethodIsEchoedWithTheNameOfThePod()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_at}");
        var call = channel.CreateCallInvoker().AsyncUnaryCall(BytesMethod(MethodType.Unary), null, default, "hello"u8.ToArray());

        (await call.ResponseAsync).Should().Equal("hello"u8.ToArray());
        (await call.ResponseHeadersAsync).GetValue("x-echo-pod").Should().Be("api-1");
        call.GetStatus().StatusCode.Should().Be(StatusCode.OK);
        call.GetTrailers().GetValue("x-echo-pod").Should().Be("api-1");
    }

    [Fact]
    public async Task AStreamingGrpcMethodIsEchoedMessageByMessage()
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
    public async Task AWebSocketIsEchoed()
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
    public async Task AStoppedPodRefusesConnections()
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
