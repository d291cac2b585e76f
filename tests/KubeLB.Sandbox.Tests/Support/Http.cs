using System.Net;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Tests.Support;

/// <summary>Requests to an end point with any Host header.</summary>
internal static class Http
{
    public static async Task<HttpResponseMessage> SendAsync(
        IPEndPoint to,
        string path = "/",
        string host = "example.com",
        Version? version = null,
        Action<HttpRequestMessage>? configure = null
    )
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(20) };
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{to}{path}"))
        {
            Version = version ?? HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = host;
        configure?.Invoke(request);
        var response = await client.SendAsync(request);
        await response.Content.LoadIntoBufferAsync();
        return response;
    }

    public static async Task<EchoedRequest> EchoAsync(
        IPEndPoint to,
        string path = "/",
        string host = "example.com",
        Version? version = null,
        Action<HttpRequestMessage>? configure = null
    )
    {
        using var response = await SendAsync(to, path, host, version, configure);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return EchoResponder.Parse(await response.Content.ReadAsStringAsync());
    }
}
