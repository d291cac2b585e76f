using System.Net;
using KubeLB.Sandbox.Activity;

namespace KubeLB.Sandbox.Tests.Activity;

public sealed class AccessLogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kubelb-access-log-").FullName;
    private readonly ManualTime _time = new();
    private readonly List<string> _console = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Line_has_the_path_of_the_request()
    {
        using (var log = NewLog())
        {
            log.Add(Access("http://api.example.com/hello?x=1"));
        }

        var line =
            "GET http://api.example.com/hello?x=1 200 12 ms gateway 127.0.0.2:80 -> proxy envoy-1 198.18.0.2:10000 "
            + "-> node 127.0.0.3:30000 -> pod default/api-1:8080";
        _console.Should().Equal(line);
        File.ReadAllLines(Path.Combine(_directory, AccessLog.FileName)).Should().Equal($"2026-01-02T03:04:05.006Z {line}");
    }

    [Fact]
    public void Unknown_hops_are_left_out()
    {
        var access = Access("http://a/") with
        {
            Status = 200,
            GrpcStatus = "14",
            Hops = new RequestHops { Cause = "no ready proxy" },
        };

        access.ToString().Should().Be("GET http://a/ 200 grpc-status 14 12 ms gateway 127.0.0.2:80 (no ready proxy)");
        access.Hops.Attempts = 3;
        access.ToString().Should().EndWith("gateway 127.0.0.2:80 (3 attempts) (no ready proxy)");
    }

    [Fact]
    public void Requests_cannot_forge_lines()
    {
        using (var log = NewLog())
        {
            log.Add(Access("http://a/\n2026 GET http://b/ 200\u001b[31m" + new string('x', 2000)));
        }

        var line = File.ReadAllLines(Path.Combine(_directory, AccessLog.FileName)).Should().ContainSingle().Subject;
        line.Should().Contain(@"http://a/\n2026 GET http://b/ 200\u001b[31mxx").And.Contain("x… 200 12 ms");
        line.Length.Should().BeLessThan(1300);
    }

    [Fact]
    public void Console_is_limited_and_the_file_is_complete()
    {
        using (var log = NewLog())
        {
            for (var second = 0; second < 3; second++)
            {
                for (var i = 0; i < 25; i++)
                {
                    log.Add(Access($"http://a/{second}-{i}"));
                }

                _time.Advance(TimeSpan.FromSeconds(1));
            }

            _console.Should().HaveCount((3 * AccessLog.MaxPerSecond) + 1).And.ContainSingle(l => l.StartsWith("More than 10 requests"));

            _time.Advance(TimeSpan.FromSeconds(60));
            log.Add(Access("http://a/later"));
            _console[^1].Should().StartWith("GET http://a/later ");
            for (var i = 0; i < 25; i++)
            {
                log.Add(Access("http://a/again"));
            }

            _console[^1].Should().StartWith("More than 10 requests", "this is another load");
        }

        File.ReadAllLines(Path.Combine(_directory, AccessLog.FileName)).Should().HaveCount(3 * 25 + 1 + 25);
    }

    private AccessLog NewLog() => new(Path.Combine(_directory, AccessLog.FileName), _console.Add, _time);

    private static GatewayAccess Access(string url) =>
        new()
        {
            Time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 6, TimeSpan.Zero),
            Method = "GET",
            Url = url,
            Gateway = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 80),
            Status = 200,
            Duration = TimeSpan.FromMilliseconds(12.3),
            Hops = new RequestHops
            {
                Proxy = new IPEndPoint(IPAddress.Parse("198.18.0.2"), 10000),
                ProxyName = "envoy-1",
                NodePort = new IPEndPoint(IPAddress.Parse("127.0.0.3"), 30000),
                Pod = "default/api-1:8080",
                Attempts = 1,
            },
        };

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
