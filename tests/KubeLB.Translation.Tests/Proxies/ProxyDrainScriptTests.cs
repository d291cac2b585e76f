using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tests.Proxies;

/// <summary>The script that ends a proxy, run by bash against something that answers as Envoy's administration does.</summary>
public sealed class ProxyDrainScriptTests
{
    private const string Fail = "POST /healthcheck/fail";
    private const string Ask = "GET /stats";

    [Fact]
    public async Task Script_fails_the_health_check_and_ends_without_connections()
    {
        using var admin = new Admin(connections: [2, 1, 0]);
        (await RunAsync(new ProxyDrain(Seconds(0), Seconds(30)), admin.Port)).Should().Be(0);
        admin.Requests.Should().Equal(Fail, Ask, Ask, Ask);
    }

    [Fact]
    public async Task Script_does_not_check_connections_before_the_minimum_time()
    {
        using var admin = new Admin(connections: [0]);
        var watch = Stopwatch.StartNew();
        (await RunAsync(new ProxyDrain(Seconds(1), Seconds(30)), admin.Port)).Should().Be(0);
        watch.Elapsed.Should().BeGreaterThan(Seconds(1), "that is how long others may need to notice");
        admin.Requests.Should().Equal(Fail, Ask);
    }

    [Fact]
    public async Task Script_ends_after_the_maximum_time_with_open_connections()
    {
        using var admin = new Admin(connections: [1]);
        (await RunAsync(new ProxyDrain(Seconds(0), Seconds(2)), admin.Port)).Should().Be(0);
        admin.Requests.Should().StartWith([Fail, Ask]).And.HaveCountLessThan(6);
    }

    [Fact]
    public async Task Script_ends_if_Envoy_has_stopped()
    {
        int port;
        using (var admin = new Admin(connections: []))
        {
            port = admin.Port;
        }

        (await RunAsync(new ProxyDrain(Seconds(0), Seconds(30)), port)).Should().Be(0);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private static async Task<int> RunAsync(ProxyDrain drain, int port)
    {
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(ProxyDrainScript.Build(drain, port));
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Answers each question for connections with the next number, and the last one for ever.</summary>
    private sealed class Admin : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Queue<int> _connections;
        private readonly List<string> _requests = [];

        public Admin(int[] connections)
        {
            _connections = new Queue<int>(connections);
            _listener.Start();
            _ = Task.Run(ServeAsync);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public IReadOnlyList<string> Requests
        {
            get
            {
                lock (_requests)
                {
                    return [.. _requests];
                }
            }
        }

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    using var reader = new StreamReader(client.GetStream());
                    var request = await reader.ReadLineAsync() ?? "";
                    while (await reader.ReadLineAsync() is { Length: > 0 }) { }

                    var body = Answer(request);
                    await client
                        .GetStream()
                        .WriteAsync(
                            Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-length: {body.Length}\r\nconnection: close\r\n\r\n{body}")
                        );
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException) { }
        }

        private string Answer(string request)
        {
            lock (_requests)
            {
                _requests.Add(request.Split('?', ' ') is [var verb, var path, ..] ? $"{verb} {path}" : request);
                if (!request.StartsWith(Ask, StringComparison.Ordinal))
                {
                    return "OK\n";
                }

                // Envoy reads the filter as a regular expression; so does this, over some of Envoy's names.
                var filter = new System.Text.RegularExpressions.Regex(Uri.UnescapeDataString(request.Split("filter=")[1].Split(' ')[0]));
                var now = _connections.Count > 1 ? _connections.Dequeue() : _connections.Peek();
                var all = new Dictionary<string, int>
                {
                    ["listener.0.0.0.0_18548.downstream_cx_active"] = now,
                    ["listener.0.0.0.0_18548.downstream_cx_total"] = 7,
                    ["listener.0.0.0.0_18548.worker_0.downstream_cx_active"] = 7,
                    ["listener.admin.downstream_cx_active"] = 1,
                    ["listener.kubelb_stats.downstream_cx_active"] = 3,
                    ["listener.kubelb_health.downstream_cx_active"] = 1,
                };
                return string.Concat(all.Where(s => filter.IsMatch(s.Key)).Select(s => $"{s.Key}: {s.Value}\n"));
            }
        }
    }
}
