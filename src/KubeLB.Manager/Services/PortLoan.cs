using KubeLB.Runtime.Storing;
using KubeLB.Translation.Services;

namespace KubeLB.Manager.Services;

/// <summary>
/// The ports that one look at a Route asks for. When it ends, ports that did not get into a Service are given back: those of a route that
/// was refused, or that did not fit. A Route that did not fit waits: it is looked at again when there is room.
/// </summary>
internal sealed class PortLoan(PortAllocator allocator, ResourceKey route) : IDisposable
{
    private readonly HashSet<string> _services = new(StringComparer.Ordinal);
    private bool _waits;

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    public int Allocate(PortNeed need)
    {
        _services.Add(need.Service);
        try
        {
            return allocator.Allocate(route, need);
        }
        catch (PortsExhaustedException)
        {
            _waits = true;
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var service in _services)
        {
            allocator.EndLoan(route.Namespace, service);
        }

        if (!_waits)
        {
            allocator.StopWaiting(route);
        }
    }
}
