using System.Net;
using k8s.Autorest;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Runtime.Watching;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Watching;

/// <summary>How long an informer sleeps between attempts, with the settings that are in use and the longest jitter.</summary>
public sealed class OutageTests : IAsyncDisposable
{
    private const string Initializing = "storage is (re)initializing";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new();
    private TestHost? _host;

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Idle_watch_closed_every_minute_resumes_at_once(bool abruptly)
    {
        await StartAsync();
        var asleep = TimeSpan.Zero;
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            _server.Widgets(c => c.Drop(abruptly));
            asleep += await AdvanceUntilAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "it watches again");
        }

        // Each time at most the first step of the backoff, half a second.
        asleep.Should().BeLessThan(TimeSpan.FromSeconds(100));
    }

    [Fact]
    public async Task Watch_closed_immediately_backs_off()
    {
        await StartAsync();
        var asleep = TimeSpan.Zero;
        for (var i = 0; i < 8; i++)
        {
            _server.Widgets(c => c.Drop(false));
            asleep += await AdvanceUntilAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "it watches again");
        }

        asleep.Should().BeGreaterThan(TimeSpan.FromSeconds(50));
    }

    [Theory]
    [InlineData("down")]
    [InlineData("503")]
    [InlineData("429")]
    public async Task Informer_recovers_within_two_seconds_after_a_long_outage(string how)
    {
        await StartAsync();
        var attempts = 0;
        _server.Intercept = _ =>
        {
            attempts++;
            return how switch
            {
                "503" => FakeApiServer.Error(503, "ServiceUnavailable", "no"),
                "429" => FakeApiServer.Error(429, "TooManyRequests", Initializing),
                _ => throw new HttpRequestException("Connection refused"),
            };
        };
        _server.Widgets(c => c.Drop(true));
        await AdvanceUntilAsync(() => attempts >= 10, "it keeps trying");
        _server.Intercept = null;
        _server.PutWidget("new");
        var late = await AdvanceUntilAsync(() => _host!.Widgets.Get("default", "new") is not null, "what was written meanwhile arrives");
        late.Should().BeLessThan(TimeSpan.FromSeconds(20), "the figure is 2 s");
    }

    [Theory]
    [InlineData(429, Initializing, null, 2)]
    [InlineData(429, Initializing, "30", 2)]
    [InlineData(429, "too many requests", null, 30)]
    [InlineData(429, "too many requests", "10", 30)]
    [InlineData(503, "apiserver is shutting down", "30", 2)]
    [InlineData(500, "etcdserver: request timed out", null, 30)]
    [InlineData(403, "forbidden", null, 30)]
    public void Retry_delay_is_capped(int code, string message, string? retryAfter, int seconds)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)code);
        if (retryAfter is not null)
        {
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        }

        var failure = new HttpOperationException("failed") { Response = new HttpResponseMessageWrapper(response, message) };
        Delays(failure).Last().TotalSeconds.Should().Be(seconds);
        Delays(failure).Should().OnlyContain(d => d <= TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void Retry_delay_without_a_response_is_capped() =>
        Delays(new HttpRequestException("Connection refused")).Last().Should().Be(TimeSpan.FromSeconds(2));

    [Fact]
    public void Retry_delay_respects_Retry_After()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.TryAddWithoutValidation("Retry-After", "7");
        var failure = new HttpOperationException("failed") { Response = new HttpResponseMessageWrapper(response, "too many requests") };
        Delays(failure).First().Should().Be(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public void Untrusted_certificate_is_not_an_outage() =>
        ApiOutage
            .IsOutage(
                new HttpRequestException(
                    "The SSL connection could not be established",
                    new System.Security.Authentication.AuthenticationException()
                )
            )
            .Should()
            .BeFalse();

    private static List<TimeSpan> Delays(Exception failure)
    {
        var settings = new ReflectorSettings();
        var backoff = new Backoff(settings.BackoffBase, () => 1);
        return [.. Enumerable.Range(0, 20).Select(_ => RetryDelay.After(failure, backoff, settings))];
    }

    private async Task StartAsync()
    {
        _host = TestHost.Build(
            _server,
            services: s => s.AddSingleton<TimeProvider>(_time),
            limits: new ReflectorSettings { Random = () => 0.999 }
        );
        await _host.Host.StartAsync();
        await _host.Widgets.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "widgets are watched");
    }

    /// <returns>How far the clock went.</returns>
    private async Task<TimeSpan> AdvanceUntilAsync(Func<bool> condition, string what)
    {
        var gone = TimeSpan.Zero;
        await Eventually.HoldsAsync(
            () =>
            {
                if (condition())
                {
                    return true;
                }

                _time.Advance(Step);
                gone += Step;
                return false;
            },
            what
        );
        return gone;
    }
}
