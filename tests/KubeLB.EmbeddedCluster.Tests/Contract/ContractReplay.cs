using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.TestClusters;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>The response to a recorded request.</summary>
public sealed record Answer(int Status, string ContentType, JsonNode? Body, IReadOnlyList<JsonNode> Events, string Text);

/// <summary>Replays the recording once, in order, against a test cluster, and records the responses.</summary>
public sealed class ContractReplay : IAsyncLifetime, IDisposable
{
    private static readonly string[] OfControllers =
    [
        "an object whose owner is gone is collected in the background",
        "the namespace and all in it are gone",
    ];

    private readonly Dictionary<string, Answer> _answers = [];
    private ITestCluster _cluster = null!;
    private HttpClient _http = null!;
    private string _continue = "";

    public Answer this[string name] => _answers[name];

    public ClusterFeatures Features => _cluster.Features;

    /// <summary>Whether an exchange is skipped because it depends on controllers that the cluster does not have.</summary>
    public bool Waits(string name) => !Features.HasFlag(ClusterFeatures.Controllers) && OfControllers.Contains(name);

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestClusters.TestClusters.StartAsync("contract");
        _http = new HttpClient(_cluster.CreateHandler()) { BaseAddress = _cluster.Url };
        foreach (var exchange in Exchange.All.Where(exchange => !Waits(exchange.Name)))
        {
            await PrepareAsync(exchange.Name);
            _answers[exchange.Name] = exchange.IsWatch ? await WatchAsync(exchange) : await SendAsync(exchange);
            await CleanUpAsync(exchange.Name);
        }
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose() => _http.Dispose();

    /// <summary>Requests of the recorder that are not in the recording.</summary>
    private async Task PrepareAsync(string next)
    {
        const string ConfigMaps = "/api/v1/namespaces/contract/configmaps";
        switch (next)
        {
            case "list by label":
                for (var i = 0; i < 5; i++)
                {
                    await DoAsync(
                        HttpMethod.Post,
                        ConfigMaps,
                        $$$"""{"metadata":{"name":"l{{{i}}}","labels":{"set":"l","i":"{{{i}}}"} } }"""
                    );
                }
                break;
            case "an object whose owner is gone is collected in the background":
                var owner = await DoAsync(HttpMethod.Post, ConfigMaps, """{"metadata":{"name":"owner"}}""");
                await DoAsync(
                    HttpMethod.Post,
                    ConfigMaps,
                    $$$"""
                    {"metadata":{"name":"owned","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{{owner![
                        "metadata"
                    ]!["uid"]}}}"}]}}
                    """
                );
                await DoAsync(HttpMethod.Delete, $"{ConfigMaps}/owner");
                await UntilGoneAsync($"{ConfigMaps}/owned");
                break;
            case "delete the namespace":
                // Keeps the namespace terminating until the next request was rejected.
                await DoAsync(HttpMethod.Post, ConfigMaps, """{"metadata":{"name":"holder","finalizers":["example.com/hold"]}}""");
                break;
            case "the namespace and all in it are gone":
                await DoAsync(
                    HttpMethod.Patch,
                    $"{ConfigMaps}/holder",
                    """{"metadata":{"finalizers":null}}""",
                    "application/merge-patch+json"
                );
                await UntilGoneAsync("/api/v1/namespaces/contract");
                break;
        }
    }

    private async Task CleanUpAsync(string last)
    {
        if (last == "create a CRD")
        {
            await UntilAnsweredAsync("/apis/contract.example.com/v1/namespaces/contract/widgets", HttpStatusCode.OK);
        }
    }

    private HttpRequestMessage RequestOf(Exchange exchange, string path)
    {
        var request = new HttpRequestMessage(new HttpMethod((string)exchange.Request["method"]!), path);
        if (exchange.Name == "bad bearer token is unauthorized")
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "no-such-token");
        }
        else if (exchange.Request["anonymous"] is null)
        {
            Authorize(request);
        }
        if ((string?)exchange.Request["accept"] is { } accept)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        if (exchange.Request["body"] is { } body)
        {
            request.Content = new StringContent(body is JsonValue ? (string)body! : body.ToJsonString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue((string?)exchange.Request["contentType"] ?? "application/json");
        }
        return request;
    }

    private async Task<Answer> SendAsync(Exchange exchange)
    {
        using var request = RequestOf(exchange, exchange.Path.Replace("<continue>", _continue));
        using var response = await _http.SendAsync(request);
        // The original text: parsing would normalize it.
        var type = response.Content.Headers.NonValidated["Content-Type"].ToString();
        var text = await response.Content.ReadAsStringAsync();
        var body = type.StartsWith("application/json", StringComparison.Ordinal) ? JsonNode.Parse(text) : JsonValue.Create(text);
        if ((body as JsonObject)?["metadata"]?["continue"] is { } token)
        {
            _continue = (string)token!;
        }
        return new Answer((int)response.StatusCode, type, body, [], text);
    }

    private async Task<Answer> WatchAsync(Exchange exchange)
    {
        const string Widgets = "/apis/contract.example.com/v1/namespaces/contract/widgets";
        var path = exchange.Path;
        if (path.Contains("resourceVersion=3085", StringComparison.Ordinal))
        {
            var list = await DoAsync(HttpMethod.Get, Widgets);
            path = path.Replace("3085", (string)list!["metadata"]!["resourceVersion"]!);
        }
        using var request = RequestOf(exchange, path);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        switch (exchange.Name)
        {
            case "watch without a resourceVersion starts with ADDED for what exists" or "watch from a resourceVersion":
                await DoAsync(
                    HttpMethod.Post,
                    Widgets,
                    """{"apiVersion":"contract.example.com/v1","kind":"Widget","metadata":{"name":"watched"},"spec":{"size":1}}"""
                );
                await DoAsync(HttpMethod.Patch, $"{Widgets}/watched", """{"spec":{"size":2}}""", "application/merge-patch+json");
                await DoAsync(HttpMethod.Patch, $"{Widgets}/watched/status", """{"status":{"x":1}}""", "application/merge-patch+json");
                await DoAsync(HttpMethod.Delete, $"{Widgets}/watched");
                break;
            case "watch with a label selector: leaving the selection is DELETED":
                await DoAsync(HttpMethod.Patch, $"{Widgets}/w", """{"metadata":{"labels":null}}""", "application/merge-patch+json");
                break;
        }
        var text = await response.Content.ReadAsStringAsync();
        var events = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        return new Answer((int)response.StatusCode, response.Content.Headers.ContentType!.ToString(), null, events, text);
    }

    private async Task<JsonNode?> DoAsync(HttpMethod method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        Authorize(request);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, type);
        }
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.Should().BeTrue($"{method} {path} prepares the next exchange, but: {text}");
        return JsonNode.Parse(text);
    }

    private Task UntilGoneAsync(string path) => UntilAnsweredAsync(path, HttpStatusCode.NotFound);

    private async Task UntilAnsweredAsync(string path, HttpStatusCode status)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            Authorize(request);
            using var response = await _http.SendAsync(request, deadline.Token);
            if (response.StatusCode == status)
            {
                return;
            }
        }
    }

    private void Authorize(HttpRequestMessage request) =>
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _cluster.AdminToken);
}
