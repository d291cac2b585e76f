using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// Allocates loopback addresses that no other sandbox on this machine uses. Each instance claims blocks <c>127.a.b.0/24</c> with a
/// listening socket in each. If only 127.0.0.1 can be bound (macOS), every address is 127.0.0.1.
/// </summary>
public sealed class LoopbackAddresses : IDisposable
{
    private const int ClaimPort = 61931;
    private const byte ClaimHost = 254;
    private const int FirstBlock = 0x1000;
    private const int Blocks = 0xE000;

    private readonly Lock _gate = new();
    private readonly List<Socket> _claims = [];
    private readonly Queue<IPAddress> _free = new();
    private int _block;

    /// <summary>Claims the first block.</summary>
    public LoopbackAddresses()
        : this(forceShared: false) { }

    internal LoopbackAddresses(bool forceShared)
    {
        // Starts at the process id, so that processes that start together do not probe the same blocks.
        _block = unchecked((int)((uint)Environment.ProcessId * 2654435761u % Blocks));
        IsShared = forceShared || !CanBind(IPAddress.Parse("127.16.0.1"));
    }

    /// <summary>Whether every address is 127.0.0.1, so that listeners differ only by port.</summary>
    public bool IsShared { get; }

    /// <summary>Allocates an address.</summary>
    /// <exception cref="InvalidOperationException">All blocks are in use.</exception>
    public IPAddress Take()
    {
        if (IsShared)
        {
            return IPAddress.Loopback;
        }

        lock (_gate)
        {
            if (_free.Count == 0)
            {
                ClaimBlock();
            }

            return _free.Dequeue();
        }
    }

    /// <summary>Releases an address. It is reused only after all others of its block.</summary>
    public void Return(IPAddress address)
    {
        if (!IsShared)
        {
            lock (_gate)
            {
                _free.Enqueue(address);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _claims.ForEach(claim => claim.Dispose());
            _claims.Clear();
        }
    }

    private void ClaimBlock()
    {
        for (var attempt = 0; attempt < Blocks; attempt++)
        {
            var block = FirstBlock + _block;
            _block = (_block + 1) % Blocks;
            var claim = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
            try
            {
                claim.Bind(new IPEndPoint(Address(block, ClaimHost), ClaimPort));
                claim.Listen();
            }
            catch (SocketException)
            {
                claim.Dispose();
                continue;
            }

            _claims.Add(claim);
            for (byte host = 1; host < ClaimHost; host++)
            {
                _free.Enqueue(Address(block, host));
            }

            return;
        }

        throw new InvalidOperationException(
            "No free block of loopback addresses: too many sandboxes run on this machine. Stop one of them."
        );
    }

    private static IPAddress Address(int block, byte host) => new([127, (byte)(block >> 8), (byte)block, host]);

    private static bool CanBind(IPAddress address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>Selects a port to listen on.</summary>
internal static class ListeningSocket
{
    /// <summary>
    /// The requested end point if it can be bound, otherwise a free high port of the same address (privileged ports, or an address that is
    /// shared). The port is probed by binding it, so another process could bind it before the caller.
    /// </summary>
    public static IPEndPoint Choose(IPEndPoint desired) =>
        IsFree(desired) ? desired : new IPEndPoint(desired.Address, FreePort(desired.Address));

    /// <summary>Whether the end point can be bound now.</summary>
    public static bool IsFree(IPEndPoint endPoint)
    {
        using var socket = NewSocket();
        try
        {
            socket.Bind(endPoint);
            socket.Listen();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>An unbound TCP socket that can bind an address with connections in TIME_WAIT, but not one in use.</summary>
    public static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private static int FreePort(IPAddress address)
    {
        using var socket = NewSocket();
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
