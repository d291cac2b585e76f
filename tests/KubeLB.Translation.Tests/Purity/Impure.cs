using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Translation.Tests.Purity;

/// <summary>Code that does what translation must not: the tests must find it here, or they would find it nowhere.</summary>
internal static class Impure
{
    public static DateTime[] Times() =>
        [DateTime.Now, DateTime.UtcNow, DateTime.Today, DateTimeOffset.Now.Date, DateTimeOffset.UtcNow.Date];

    public static object[] Chance() => [Guid.NewGuid(), Random.Shared.Next(), TimeProvider.System.GetUtcNow(), Stopwatch.StartNew()];

    public static async Task<object[]> Io(k8s.IKubernetes cluster, k8s.Kubernetes client)
    {
        using var http = new HttpClient();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Console.WriteLine(Environment.MachineName);
        Thread.Yield();
        var addresses = await Dns.GetHostAddressesAsync("localhost");
        return
        [
            http,
            socket,
            cluster.BaseUri,
            client.BaseUri,
            addresses,
            File.Exists("a"),
            Directory.Exists("b"),
            await Task.FromResult(1),
        ];
    }
}
