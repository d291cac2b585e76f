using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// Requests through a tenant's Gateway of the basic example, one after the other by each of a few clients: as fast as they are answered, or
/// at a given rate.
/// </summary>
public sealed class GatewayLoad : IAsyncDisposable
{
    // Enough for a rate, also where requests take longer than usual.
    private const int Clients = 8;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<(DateTime Time, string What)> _failures = [];
    private readonly HttpClient _client;
    private readonly TimeSpan? _pause;
    private readonly Task _sending;
    private int _sent;

    private GatewayLoad(SystemFixture fixture, string address, int? perSecond)
    {
        _pause = perSecond is { } rate ? TimeSpan.FromSeconds((double)Clients / rate) : null;
        _client = new HttpClient(fixture.Sandbox.CreateGatewayHandler()) { Timeout = TimeSpan.FromSeconds(15) };
        _sending = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => SendAsync(address))));
    }

    /// <summary>How many requests were answered, or failed.</summary>
    public int Sent => Volatile.Read(ref _sent);

    /// <summary>Starts, and waits for the first answers.</summary>
    /// <param name="fixture">The installation.</param>
    /// <param name="perSecond">Requests per second; null for as many as possible.</param>
    /// <param name="tenant">Index of the tenant, from 0.</param>
    public static async Task<GatewayLoad> StartAsync(SystemFixture fixture, int? perSecond = null, int tenant = 0)
    {
        var load = new GatewayLoad(fixture, await fixture.AddressAsync(tenant), perSecond);
        await Eventually.HoldsAsync(() => Task.FromResult(load.Sent > 20), "requests flow");
        return load;
    }

    /// <summary>Stops, after some more requests.</summary>
    /// <returns>The requests that failed.</returns>
    public async Task<IReadOnlyList<(DateTime Time, string What)>> StopAsync()
    {
        var sent = Sent;
        await Eventually.HoldsAsync(() => Task.FromResult(Sent > sent + 20), "requests flow");
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
        using var pace = _pause is { } pause ? new PeriodicTimer(pause) : null;
        while (!_stop.IsCancellationRequested)
        {
            if (pace is not null)
            {
                await pace.WaitForNextTickAsync();
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/") { Headers = { Host = "api.example.com" } };
            var what = "";
            try
            {
                using var response = await _client.SendAsync(request);
                what = response.IsSuccessStatusCode
                    ? ""
                    : $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}{Origin(response)}";
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

    // The stand-in for Envoy Gateway marks the errors that it returns itself.
    private static string Origin(HttpResponseMessage response) =>
        response.Headers.Contains("x-sandbox-response-of") ? " (of the gateway)" : "";
}
