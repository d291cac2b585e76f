namespace KubeLB.EndToEnd.Support;

/// <summary>Requests through a tenant's Gateway of the basic example, one after the other on each of a few connections.</summary>
public sealed class GatewayLoad : IAsyncDisposable
{
    private const int Clients = 3;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<(DateTime Time, string What)> _failures = [];
    private readonly HttpClient _client;
    private readonly Task _sending;
    private int _sent;

    private GatewayLoad(TestBed bed, string address)
    {
        _client = new HttpClient(bed.Sandbox.CreateGatewayHandler()) { Timeout = TimeSpan.FromSeconds(15) };
        _sending = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => SendAsync(address))));
    }

    /// <summary>How many requests were answered, or failed.</summary>
    public int Sent => Volatile.Read(ref _sent);

    /// <summary>Starts, and waits for the first answers.</summary>
    public static async Task<GatewayLoad> StartAsync(TestBed bed, int tenant = 0)
    {
        var load = new GatewayLoad(bed, await bed.AddressAsync(tenant));
        await Eventually.HoldsAsync("requests flow", () => Task.FromResult(load.Sent > 20));
        return load;
    }

    /// <summary>Stops, after some more requests.</summary>
    /// <returns>The requests that failed.</returns>
    public async Task<IReadOnlyList<(DateTime Time, string What)>> StopAsync()
    {
        var sent = Sent;
        await Eventually.HoldsAsync("requests flow", () => Task.FromResult(Sent > sent + 20));
        await _stop.CancelAsync();
        await _sending;
        return _failures;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        _client.Dispose();
    }

    private async Task SendAsync(string address)
    {
        while (!_stop.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/") { Headers = { Host = "api.example.com" } };
            var what = "";
            try
            {
                using var response = await _client.SendAsync(request);
                what = response.IsSuccessStatusCode ? "" : $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
            }
            catch (HttpRequestException e)
            {
                what = e.Message;
            }

            Interlocked.Increment(ref _sent);
            if (what.Length > 0)
            {
                lock (_failures)
                {
                    _failures.Add((DateTime.UtcNow, what));
                }
            }
        }
    }
}
