using System.Net.Http.Headers;
using System.Text;
using KubeLB.EmbeddedCluster.Tests.Contract;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Robustness;

/// <summary>Sends mutations of the recorded requests: the cluster responds to each, and never with 500.</summary>
public sealed class FuzzTests
{
    private const int Requests = 4_000;

    private static readonly string[] Types =
    [
        "application/json",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "nonsense/type",
    ];

    private static readonly string[] Fragments =
    [
        "null",
        "{}",
        "[]",
        "-1",
        "1e400",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "9223372036854775808",
        "true",
        "\"a/b\"",
        "{\"$patch\":\"delete\"}",
        "[{\"op\":\"add\",\"path\":\"/-\"}]",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Threat", "api-requests")]
    public async Task Mutated_request_never_gets_500(int seed)
    {
        await using var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        using var api = new Api(cluster);
        using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = cluster.Url, Timeout = TimeSpan.FromSeconds(20) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.ClientConfiguration().AccessToken);
        await http.PostAsync(
            "/api/v1/namespaces",
            new StringContent("""{"metadata":{"name":"contract"}}""", Encoding.UTF8, "application/json")
        );
        var random = new Random(seed);
        var answers = new Dictionary<int, int>();
        for (var i = 0; i < Requests; i++)
        {
            using var request = Mutate(Exchange.All[random.Next(Exchange.All.Count)], random);
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            ((int)response.StatusCode)
                .Should()
                .NotBe(
                    500,
                    $"{request.Method} {request.RequestUri} with {request.Content?.Headers.ContentType} {await Body(request)} was "
                        + $"answered {text}"
                );
            answers[(int)response.StatusCode / 100] = answers.GetValueOrDefault((int)response.StatusCode / 100) + 1;
        }
        answers.Values.Sum().Should().Be(Requests);
        answers[2].Should().BeGreaterThan(Requests / 20, "some mutations must be accepted");
        answers[4].Should().BeGreaterThan(Requests / 20, "some mutations must be rejected");
        (await api.GetAsync("/readyz")).ShouldBe(200);
    }

    private static async Task<string> Body(HttpRequestMessage request) =>
        request.Content is null ? "" : await request.Content.ReadAsStringAsync();

    private static HttpRequestMessage Mutate(Exchange exchange, Random random)
    {
        var path = exchange.Path.Replace("<continue>", "x");
        if (random.Next(5) == 0)
        {
            // Not at the start: two slashes there would be another host.
            var at = random.Next(2, path.Length);
            path =
                path[..at]
                + random.Next(4) switch
                {
                    0 => "%00",
                    1 => "/",
                    2 => "%2F",
                    _ => "x",
                }
                + path[at..];
        }
        // Watches need a short timeout.
        path += (path.Contains('?') ? "&" : "?") + "timeoutSeconds=1";
        path = path.Replace("watch=1", random.Next(20) == 0 ? "watch=1&resourceVersion=1" : "notwatch=1");
        var method =
            random.Next(6) == 0 ? new[] { "GET", "POST", "PUT", "PATCH", "DELETE" }[random.Next(5)] : (string)exchange.Request["method"]!;
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (exchange.Request["body"] is { } body)
        {
            var text = new StringBuilder(body.ToJsonString());
            for (var changes = random.Next(4); changes > 0; changes--)
            {
                Change(text, random);
            }
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text.ToString()));
            var type =
                random.Next(4) == 0 ? Types[random.Next(Types.Length)] : (string?)exchange.Request["contentType"] ?? "application/json";
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }
        return request;
    }

    private static void Change(StringBuilder text, Random random)
    {
        if (text.Length < 2)
        {
            return;
        }
        var at = random.Next(text.Length);
        switch (random.Next(4))
        {
            case 0:
                text.Remove(at, Math.Min(random.Next(1, 8), text.Length - at));
                break;
            case 1:
                text[at] = (char)random.Next(32, 127);
                break;
            case 2:
                text.Length = at;
                break;
            default:
                // Replaces a whole value.
                var colon = text.ToString().IndexOf(':', at);
                if (colon > 0)
                {
                    var end = text.ToString().IndexOfAny([',', '}', ']'], colon);
                    if (end > colon)
                    {
                        text.Remove(colon + 1, end - colon - 1).Insert(colon + 1, Fragments[random.Next(Fragments.Length)]);
                    }
                }
                break;
        }
    }
}
