using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Tests.Support;

/// <summary>A response with its body as JSON, or as text if it is not JSON.</summary>
public sealed record Reply(int Status, JsonNode? Body, string Text, HttpResponseHeaders Headers)
{
    public string? Message => (string?)(Body as JsonObject)?["message"];

    public string? Reason => (string?)(Body as JsonObject)?["reason"];

    /// <summary>A member by its path of names and indexes, e.g. <c>spec.ports.0.port</c>.</summary>
    public JsonNode? At(string path)
    {
        var node = Body;
        foreach (var part in path.Split('.'))
        {
            node = int.TryParse(part, out var index) ? (node as JsonArray)?[index] : (node as JsonObject)?[part];
        }
        return node;
    }

    public string? TextAt(string path) => At(path)?.ToString();

    public Reply ShouldBe(int status)
    {
        Status.Should().Be(status, Text);
        return this;
    }
}

/// <summary>HTTP requests to an embedded cluster, without client library.</summary>
public sealed class Api : IDisposable
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1_000 };

    private readonly HttpClient _http;

    public Api(EmbeddedCluster cluster, string? token = null)
    {
        var handler = new SocketsHttpHandler();
        if (cluster.CertificateAuthorityPem is { } pem)
        {
            var authority = X509Certificate2.CreateFromPem(pem);
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                CustomTrustStore = { authority },
            };
        }
        _http = new HttpClient(handler) { BaseAddress = cluster.Url };
        var bearer = token ?? cluster.ClientConfiguration().AccessToken;
        if (bearer.Length > 0)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }
    }

    public HttpClient Http => _http;

    public Task<Reply> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, null, null, accept);

    public Task<Reply> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json, "application/json");

    public Task<Reply> PutAsync(string path, string json) => SendAsync(HttpMethod.Put, path, json, "application/json");

    public Task<Reply> MergeAsync(string path, string json) => SendAsync(HttpMethod.Patch, path, json, "application/merge-patch+json");

    public Task<Reply> DeleteAsync(string path, string? options = null) => SendAsync(HttpMethod.Delete, path, options, "application/json");

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body, string? contentType, string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType!);
        }
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType == "application/json" && text.Length > 0;
        return new Reply((int)response.StatusCode, isJson ? JsonNode.Parse(text, documentOptions: Deep) : null, text, response.Headers);
    }

    /// <summary>Creates a namespace for a test.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = "t-" + Guid.NewGuid().ToString("n")[..10];
        (await PostAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{name}}}"} }""")).ShouldBe(201);
        return name;
    }

    /// <summary>Polls until a response matches.</summary>
    public async Task<Reply> UntilAsync(string path, Func<Reply, bool> wanted)
    {
        var deadline = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            var reply = await GetAsync(path);
            if (wanted(reply))
            {
                return reply;
            }
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"{path} did not become as wanted; it is: {reply.Status} {reply.Text}");
            }
            await Task.Yield();
        }
    }

    public Task<Reply> UntilGoneAsync(string path) => UntilAsync(path, reply => reply.Status == 404);

    public async Task<WatchReader> WatchAsync(string path, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new WatchReader(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>Reads a watch event by event.</summary>
public sealed class WatchReader(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    public int Status => (int)response.StatusCode;

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<JsonObject?> NextAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        var line = await reader.ReadLineAsync(deadline.Token);
        return line is null ? null : JsonNode.Parse(line)!.AsObject();
    }

    /// <summary>The next event as <c>TYPE name</c>.</summary>
    public async Task<string> NextNameAsync()
    {
        var next = await NextAsync();
        return next is null ? "END" : $"{next["type"]} {next["object"]!["metadata"]?["name"]}";
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}

/// <summary>A cluster for all tests of a class.</summary>
public sealed class ClusterFixture : IAsyncLifetime, IDisposable
{
    public EmbeddedCluster Cluster { get; private set; } = null!;

    public Api Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await EmbeddedCluster.StartAsync();
        Api = new Api(Cluster);
    }

    public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();

    public void Dispose() => Api.Dispose();
}
