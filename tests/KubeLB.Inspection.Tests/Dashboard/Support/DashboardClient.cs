using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using KubeLB.Inspection.Dashboard;
using KubeLB.Tests.Shared;

namespace KubeLB.Inspection.Tests.Dashboard.Support;

/// <summary>Requests to a dashboard, with its key.</summary>
internal sealed class DashboardClient : IDisposable
{
    private readonly HttpClient _http;

    public DashboardClient(DashboardServer server)
    {
        _http = new HttpClient { BaseAddress = server.Address };
        _http.DefaultRequestHeaders.Add("X-KubeLB-Key", server.Key);
    }

    public void Dispose() => _http.Dispose();

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.Should().Be(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public Task<byte[]> BytesAsync(string path) => _http.GetByteArrayAsync(new Uri(path, UriKind.Relative));

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, JsonObject body)
    {
        using var response = await _http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    public Task<JsonElement> OverviewAsync(Func<IReadOnlyList<JsonElement>, bool> condition, string what) =>
        Eventually.GetAsync(what, () => GetAsync("api/overview"), seen => condition([.. seen.GetProperty("rows").EnumerateArray()]));

    /// <summary>Waits until a path fulfills a condition.</summary>
    public Task<JsonElement> TraceAsync(string query, Func<JsonElement, bool> condition, string what) =>
        Eventually.GetAsync(what, () => GetAsync("api/trace?" + query), condition);

    /// <summary>Follows the stream of changes.</summary>
    public async Task<FeedStream> FollowAsync(string query)
    {
        var response = await _http.GetAsync(new Uri("api/stream?" + query, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        return new FeedStream(response, await response.Content.ReadAsStreamAsync());
    }
}

/// <summary>The events of a stream.</summary>
internal sealed class FeedStream : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly Channel<(string Type, string Data)> _events = Channel.CreateUnbounded<(string, string)>();

    public FeedStream(HttpResponseMessage response, Stream stream)
    {
        _response = response;
        _ = ReadAsync(stream);
    }

    public void Dispose() => _response.Dispose();

    /// <summary>The next event of a type; others before it are dropped.</summary>
    public async Task<(JsonElement Data, int Bytes)> NextAsync(string type, Func<JsonElement, bool>? condition = null)
    {
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        await foreach (var (name, data) in _events.Reader.ReadAllAsync(deadline.Token))
        {
            var json = JsonDocument.Parse(data).RootElement;
            if (name == type && (condition?.Invoke(json) ?? true))
            {
                return (json, data.Length);
            }
        }

        throw new InvalidOperationException($"The stream ended without {type}.");
    }

    private async Task ReadAsync(Stream stream)
    {
        try
        {
            using var reader = new StreamReader(stream);
            var type = "";
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal))
                {
                    type = line["event: ".Length..];
                }
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    _events.Writer.TryWrite((type, line["data: ".Length..]));
                }
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            // The test ended it.
        }

        _events.Writer.TryComplete();
    }
}
