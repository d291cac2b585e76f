using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KubeLB.EndToEnd.Installation;

/// <summary>
/// A network namespace with a loopback interface only, as the network of a pod: what listens on all interfaces in it can be reached through
/// <see cref="Publish"/> alone, and what is in it reaches nothing but the ports of <see cref="Reach"/>.
/// </summary>
internal sealed class PodNetwork : IAsyncDisposable
{
    private readonly ConcurrentBag<Socket> _sockets = [];

    private PodNetwork(string name) => Name = name;

    /// <summary>Its name, as <c>ip netns</c> shows it.</summary>
    public string Name { get; }

    /// <summary>Why network namespaces are not available on this machine; null if they are.</summary>
    public static string? Missing { get; } =
        !OperatingSystem.IsLinux() ? "network namespaces need Linux"
        : !Environment.IsPrivilegedProcess ? "network namespaces need root"
        : !File.Exists("/usr/sbin/ip") && !File.Exists("/usr/bin/ip") && !File.Exists("/sbin/ip") ? "network namespaces need ip (iproute2)"
        : null;

    /// <summary>Makes one.</summary>
    public static async Task<PodNetwork> CreateAsync()
    {
        var network = new PodNetwork($"kubelb-{Guid.NewGuid():N}"[..20]);
        await RunAsync("netns", "add", network.Name);
        await RunAsync("-n", network.Name, "link", "set", "lo", "up");
        return network;
    }

    /// <summary>Makes a port of this machine's loopback interface reachable from inside, at the same address and port.</summary>
    public void Reach(int port)
    {
        var listener = Inside(() => Listen(port));
        Forward(
            listener,
            async () =>
            {
                var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await target.ConnectAsync(IPAddress.Loopback, port);
                return target;
            }
        );
    }

    /// <summary>Makes a port inside reachable from this machine.</summary>
    /// <returns>Where.</returns>
    public IPEndPoint Publish(int port)
    {
        var listener = Listen(0);
        Forward(
            listener,
            () =>
                Task.FromResult(
                    Inside(() =>
                    {
                        var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                        target.Connect(IPAddress.Loopback, port);
                        return target;
                    })
                )
        );
        return (IPEndPoint)listener.LocalEndPoint!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        await RunAsync("netns", "del", Name);
    }

    private Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(listener);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        return listener;
    }

    private void Forward(Socket listener, Func<Task<Socket>> connect) =>
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    _ = PassAsync(await listener.AcceptAsync(), connect);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The network was disposed.
            }
        });

    private async Task PassAsync(Socket client, Func<Task<Socket>> connect)
    {
        _sockets.Add(client);
        try
        {
            var target = await connect();
            _sockets.Add(target);
            await Task.WhenAll(CopyAsync(client, target), CopyAsync(target, client));
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            client.Dispose();
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReceiveAsync(buffer, SocketFlags.None) is > 0 and var count)
        {
            for (var sent = 0; sent < count; )
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    // A socket belongs to the namespace of the thread that makes it. The thread ends with that, so that no other code runs there.
    private Socket Inside(Func<Socket> make)
    {
        Socket? made = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var target = File.OpenHandle($"/run/netns/{Name}");
                if (SetNamespace(target.DangerousGetHandle().ToInt32(), 0) != 0)
                {
                    throw new IOException($"setns failed: {Marshal.GetLastPInvokeErrorMessage()}");
                }

                made = make();
            }
#pragma warning disable CA1031 // Rethrown by the caller.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? made! : throw failure;
    }

    private static async Task RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, $"ip {string.Join(' ', arguments)} should work, but: {error}");
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int descriptor, int kind);
}
