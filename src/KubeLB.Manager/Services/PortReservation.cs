using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Manager.Services;

/// <summary>
/// The ports that one reconcile of a Route asks for. When it ends, ports that did not get into a Service are free again: those of a
/// route that was rejected, or that did not fit.
/// </summary>
internal sealed class PortReservation(PortAllocator allocator, string tenantNamespace) : IDisposable
{
    private readonly HashSet<string> _services = new(StringComparer.Ordinal);

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    public int Allocate(PortNeed need)
    {
        _services.Add(need.Service);
        return allocator.Allocate(tenantNamespace, need);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var service in _services)
        {
            allocator.EndReservation(tenantNamespace, service);
        }
    }
}
